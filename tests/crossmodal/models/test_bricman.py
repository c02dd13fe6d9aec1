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


def attention(width):
    return 4 * linear(width, width)


def encoder(width, layers, feed_forward):
    layer = attention(width) + linear(width, feed_forward) + linear(feed_forward, width) + 2 * norm(width)
    return layers * layer + norm(width)


ENCODED_ELECTRODES = linear(7500, 64) + 34 * 64 + encoder(64, 6, 512)
PUBLISHED = {
    "bricman_fc": linear(7500, 100)
    + norm(100)
    + linear(3400, 1000)
    + 2 * linear(1000, 1000)
    + 3 * norm(1000)
    + linear(1000, 100)
    + linear(100, N_VOXELS),
    "bricman_cnn": linear(34 * 49, 512)
    + norm(512)
    + linear(59_392, 200)
    + linear(200, 1000)
    + 3 * linear(1000, 1000)
    + 4 * norm(1000)
    + linear(1000, 100)
    + linear(100, N_VOXELS)
    + linear(125, 16)
    + 2 * linear(16 * 125, 16)
    + linear(16 * 125, 1),
    "bricman_transformer": ENCODED_ELECTRODES + linear(2176, 128) + linear(128, N_VOXELS),
    "bricman_seq2seq": ENCODED_ELECTRODES
    + 64
    + linear(3276, 64)
    + 53 * 64
    + 6 * (2 * attention(64) + linear(64, 512) + linear(512, 64) + 3 * norm(64))
    + norm(64)
    + linear(64, 3276),
}


@pytest.fixture(scope="module")
def paper_signals():
    """What they read, 30 s of 34 electrodes at 1 kHz, and predict: 173,628 voxels."""
    return voxel_pair(ELECTRODES, np.ones(GRID, dtype=bool), N_TIMES, 1000.0)


@pytest.mark.parametrize("kind", PUBLISHED)
def test_the_default_has_the_published_size(paper_signals, kind):
    model = network_spec(ModelSettings(kind=kind)).build(paper_signals)
    assert sum(weight.numel() for weight in model.parameters()) == PUBLISHED[kind]


def test_the_mixed_network_has_the_front_of_one_and_the_trunk_of_the_other(paper_signals):
    model = network_spec(ModelSettings(kind="bricman_mixed")).build(paper_signals)
    published = network_spec(ModelSettings(kind="bricman_cnn")).build(volume_pair(ELECTRODES, 4, N_TIMES, 1000.0))
    assert model.filters.convolution.weight.shape == published.filters.convolution.weight.shape
    assert sum(weight.numel() for weight in model.trunk.parameters()) == encoder(64, 6, 512)
    assert model.position_md.shape == (116, 64)


@pytest.mark.parametrize(
    ("kind", "settings", "sentence"),
    [
        ("bricman_cnn", {}, r"^model\.stride: a window is 40 samples at 100 Hz, and 16 outputs of filters of 49 taps, 4 apart, need 109;"),
        ("bricman_mixed", {"pool": 8}, r"^model\.stride: a window is 40 samples at 100 Hz, and 8 outputs .* need 77; lengthen data\."),
        (
            "bricman_fc",
            {"rate_hz": 1},
            r"^model\.rate_hz: a window of 40 samples is shorter than the 100 that give one at 1 Hz; raise it, or",
        ),
        ("bricman_transformer", {"rate_hz": 1}, r"^model\.rate_hz: a window of 40 samples is shorter"),
        ("bricman_seq2seq", {"width": 20}, r"^model\.width 20 must be a multiple of model\.heads 8$"),
        ("bricman_cnn", {"pool": 1, "volume_kernel": 4}, r"^model\.volume_kernel 4 must be odd"),
    ],
)
def test_what_cannot_be_built_is_refused_by_its_setting(kind, settings, sentence):
    with pytest.raises(UserError, match=sentence):
        network_spec(ModelSettings(kind=kind, **settings)).build(volume_pair(5, 3, 40, 100.0))


@pytest.mark.parametrize("n_times", [109, 110, 300])
def test_as_many_steps_are_counted_as_there_are(n_times):
    model = network_spec(ModelSettings(kind="bricman_mixed", filters=4, width=8, layers=1)).build(volume_pair(5, 3, n_times, 100.0))
    assert model(torch.randn(2, 5, n_times)).shape == (2, 3, 1)


def test_the_last_batch_of_training_may_be_one_window():
    torch.manual_seed(0)
    small = {"channel_width": 4, "widths": (8,), "rank": 2}
    model = network_spec(ModelSettings(kind="bricman_fc", **small)).build(volume_pair(5, 3, 40, 100.0)).train()
    assert model.loss(torch.randn(1, 5, 40), torch.randn(1, 3, 1)).isfinite()


def test_convolutions_of_the_volume_see_neighbours_in_space_alone():
    """With a mask: what is not a target is zero, and a target's number among targets is no place."""
    mask = np.zeros((9, 8, 7), dtype=bool)
    mask[1:8, ::2, 2:6] = True
    settings = {"filters": 2, "features": 4, "widths": (4,), "rank": 2, "volume_channels": (), "volume_kernel": 3}
    refine = network_spec(ModelSettings(kind="bricman_cnn", **settings)).build(voxel_pair(5, mask, 200, 100.0)).refine
    y_bs = torch.randn(1, mask.sum(), requires_grad=True)
    (gradient_bs,) = torch.autograd.grad(refine(y_bs)[0, 20], y_bs)
    voxels_s3 = np.argwhere(mask)
    near = np.abs(voxels_s3 - voxels_s3[20]).max(axis=1) <= 1
    np.testing.assert_array_equal(gradient_bs[0].numpy() != 0, near)
