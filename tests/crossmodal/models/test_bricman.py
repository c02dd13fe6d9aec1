"""The networks of Bricman and Borst have the sizes that they published, and refuse what is too short for them."""

import numpy as np
import pytest
import torch

from crossmodal.config import UserError
from crossmodal.config.models import ModelSettings
from crossmodal.models.registry import network_spec
from tests.crossmodal.models.pairs import volume_pair, voxel_pair

ELECTRODES, N_TIMES, GRID = 34, 30_000, (53, 63, 52)
N_VOXELS = 53 * 63 * 52


def linear(n_in, n_out):
    return n_in * n_out + n_out


def norm(width):
    return 2 * width


PUBLISHED = {
    "bricman_fc": linear(7500, 100)
    + norm(100)
    + linear(3400, 1000)
    + 2 * linear(1000, 1000)
    + 3 * norm(1000)
    + linear(1000, 100)
    + linear(100, N_VOXELS),
}


@pytest.fixture(scope="module")
def paper_signals():
    """What they read, 30 s of 34 electrodes at 1 kHz, and predict: 173,628 voxels."""
    return voxel_pair(ELECTRODES, np.ones(GRID, dtype=bool), N_TIMES, 1000.0)


@pytest.mark.parametrize("kind", PUBLISHED)
def test_the_default_has_the_published_size(paper_signals, kind):
    model = network_spec(ModelSettings(kind=kind)).build(paper_signals)
    assert sum(weight.numel() for weight in model.parameters()) == PUBLISHED[kind]


@pytest.mark.parametrize(
    ("kind", "settings", "sentence"),
    [
        (
            "bricman_fc",
            {"rate_hz": 1},
            r"^model\.rate_hz: a window of 40 samples is shorter than the 100 that give one at 1 Hz; raise it, or",
        ),
    ],
)
def test_what_cannot_be_built_is_refused_by_its_setting(kind, settings, sentence):
    with pytest.raises(UserError, match=sentence):
        network_spec(ModelSettings(kind=kind, **settings)).build(volume_pair(5, 3, 40, 100.0))


def test_the_last_batch_of_training_may_be_one_window():
    torch.manual_seed(0)
    small = {"channel_width": 4, "widths": (8,), "rank": 2}
    model = network_spec(ModelSettings(kind="bricman_fc", **small)).build(volume_pair(5, 3, 40, 100.0)).train()
    assert model.loss(torch.randn(1, 5, 40), torch.randn(1, 3, 1)).isfinite()
