"""Gains of a shrinkage against least squares."""

import numpy as np
import pytest
import torch

from crossmodal.models.shrinkage import Shrinkage

N_WINDOWS, N_TARGETS, N_TIMES = 40, 4, 2


@pytest.fixture
def said():
    """Predictions of targets that are half as large, twice as large, opposite, and never predicted to change."""
    rng = torch.Generator().manual_seed(0)
    predicted_bst = torch.randn(N_WINDOWS, N_TARGETS, N_TIMES, generator=rng)
    predicted_bst[:, 3] = 0
    noise_bst = 0.1 * torch.randn(predicted_bst.shape, generator=rng)
    return predicted_bst, torch.tensor([0.5, 2.0, -1.0, 1.0])[:, None] * predicted_bst + noise_bst


def test_gains_are_the_least_squares_ones_between_nothing_and_all(said):
    shrinkage = Shrinkage(N_TARGETS)
    assert torch.equal(shrinkage(said[0]), said[0])
    shrinkage.fit(zip(*(tensor.split(7) for tensor in said), strict=True))
    predicted, truth = (tensor[:, 0].flatten().double().numpy() for tensor in said)
    ((slope,), *_) = np.linalg.lstsq(predicted[:, None], truth, rcond=None)
    np.testing.assert_allclose(shrinkage.gain_s, [slope, 1, 0, 0], rtol=1e-6)
    torch.testing.assert_close(shrinkage(said[0])[:, 0], slope.astype(np.float32) * said[0][:, 0])


def test_no_other_gain_is_nearer_to_the_truth(said):
    shrinkage = Shrinkage(N_TARGETS)
    shrinkage.fit([said])
    predicted_bst, truth_bst = said
    error_s = (shrinkage(predicted_bst) - truth_bst).square().sum((0, 2))
    for gain in torch.linspace(0, 1, 21):
        assert (error_s <= (gain * predicted_bst - truth_bst).square().sum((0, 2)) + 1e-5).all()
