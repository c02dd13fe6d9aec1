"""Slices are decoded one after the other: what is said of one depends on no true value of it or of a later one, and in use on none."""

import numpy as np
import pytest
import torch

from crossmodal.config.models import ModelSettings
from crossmodal.models.registry import network_spec
from tests.crossmodal.models.pairs import volume_pair, voxel_pair

SMALL = {"width": 8, "heads": 2, "encoder_layers": 1, "decoder_layers": 2, "expansion": 2, "dropout": 0, "regions_per_token": 2}
MASK = np.random.default_rng(0).random((5, 4, 3)) > 0.4


@pytest.fixture(params=["voxels", "regions"])
def signals(request):
    return voxel_pair(5, MASK, 40, 100.0) if request.param == "voxels" else volume_pair(5, 7, 40, 100.0)


@pytest.fixture
def model(signals):
    torch.manual_seed(0)
    return network_spec(ModelSettings(kind="bricman_seq2seq", **SMALL)).build(signals).eval()


def slice_of_target(signals):
    """Number of each target's token."""
    return np.argwhere(MASK)[:, 0] if signals.target.space.kind == "voxels" else np.arange(7) // 2


def test_no_true_slice_influences_itself_or_an_earlier_one(model, signals):
    slices_s = slice_of_target(signals)
    y_bst = torch.randn(1, len(slices_s), 1, requires_grad=True)
    predicted_bst = model.teacher_forced(torch.randn(1, 5, 40), y_bst)
    for number in range(slices_s.max() + 1):
        (gradient_bst,) = torch.autograd.grad(predicted_bst[0, slices_s == number].sum(), y_bst, retain_graph=True)
        assert not gradient_bst[0, slices_s >= number].any()
        assert gradient_bst[0, slices_s < number].all()


@torch.no_grad()
def test_running_free_is_decoding_step_by_step(model, signals):
    """Each slice, as the whole sequence gives it once those before it are what was said."""
    slices_s, x_bct = slice_of_target(signals), torch.randn(2, 5, 40)
    said_bst = torch.zeros(2, len(slices_s), 1)
    for number in range(slices_s.max() + 1):
        said_bst[:, slices_s == number] = model.teacher_forced(x_bct, said_bst)[:, slices_s == number]
    torch.testing.assert_close(model(x_bct), said_bst)


@torch.no_grad()
def test_only_training_is_told_the_truth(model, signals):
    x_bct, y_bst = torch.randn(2, 5, 40), torch.randn(2, signals.target.n_channels, 1)
    free, forced = ((predicted_bst - y_bst).square().mean() for predicted_bst in (model(x_bct), model.teacher_forced(x_bct, y_bst)))
    assert abs(free - forced) > 1e-4
    torch.testing.assert_close(model.loss(x_bct, y_bst), free)
    torch.testing.assert_close(model.train().loss(x_bct, y_bst), forced)
