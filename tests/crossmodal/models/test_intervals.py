"""Intervals hold their share where validation subjects set them, and follow how far off a model may be."""

import numpy as np
import pytest
import torch
from scipy.stats import norm

from crossmodal.evaluation.intervals import coverage, interval_score
from crossmodal.models.intervals import LEVEL, ActiveIntervals, Intervals

N_TARGETS = 3


def said(n_windows, seed):
    """Predictions, half the deviation of their normal errors, which varies by target and window, and the truth."""
    rng = torch.Generator().manual_seed(seed)
    predicted, ease, noise = torch.randn(3, n_windows, N_TARGETS, 1, generator=rng)
    deviation = torch.tensor([0.5, 1.0, 2.0])[:, None] * (0.7 * ease).exp()
    return predicted, deviation / 2, predicted + deviation * noise


def test_on_normal_errors_the_factor_is_the_normal_quantile_and_coverage_is_right():
    intervals = Intervals(N_TARGETS)
    intervals.fit(zip(*(tensor.split(999) for tensor in said(20_000, 0)), strict=True))
    assert intervals.factor == pytest.approx(2 * norm.ppf((1 + LEVEL) / 2), rel=0.02)
    predicted, deviation, truth = said(20_000, 1)
    own, constant = ((bounds.lower_bst.numpy(), bounds.upper_bst.numpy()) for bounds in intervals(predicted, deviation))
    np.testing.assert_allclose(coverage(truth.numpy(), *own), LEVEL, atol=0.01)
    np.testing.assert_allclose(coverage(truth.numpy(), *constant), LEVEL, atol=0.01)
    assert (interval_score(truth.numpy(), *own, LEVEL) < 0.9 * interval_score(truth.numpy(), *constant, LEVEL)).all()


@pytest.mark.parametrize(("n_windows", "expected"), [(5, 5.0), (9, 9.0), (19, 18.0), (99, 90.0)])
def test_the_quantile_counts_the_window_that_is_to_come(n_windows, expected):
    """Of n that can be exchanged, the next one is below the k-th with probability k / (n + 1)."""
    intervals = Intervals(1)
    error_bst = torch.arange(1.0, n_windows + 1)[torch.randperm(n_windows, generator=torch.Generator().manual_seed(0)), None, None]
    intervals.fit([(torch.zeros_like(error_bst), torch.full_like(error_bst, 0.5), error_bst)])
    assert intervals.constant_s.tolist() == [expected]
    assert intervals.factor == pytest.approx(2 * expected)


def test_they_come_back_from_their_state():
    intervals, again = Intervals(N_TARGETS), Intervals(N_TARGETS)
    intervals.fit([said(50, 0)])
    again.load_state_dict(intervals.state_dict())
    predicted, deviation, _ = said(5, 1)
    for bounds, bounds_again in zip(intervals(predicted, deviation), again(predicted, deviation), strict=True):
        assert torch.equal(bounds.lower_bst, bounds_again.lower_bst)
        assert torch.equal(bounds.upper_bst, bounds_again.upper_bst)


def test_intervals_of_active_targets_are_as_wide_as_these_need():
    """One of three targets is active, and its errors are ten times as large as its deviations; the others are silent and exact."""
    intervals = ActiveIntervals(N_TARGETS)
    rng = torch.Generator().manual_seed(0)
    predicted = torch.tensor([5.0, 0.1, 0.0])[:, None] * (1 + torch.rand(2000, N_TARGETS, 4, generator=rng))
    noise = 10 * torch.tensor([1.0, 0.0, 0.0])[:, None] * torch.randn(predicted.shape, generator=rng)
    deviation = torch.ones_like(predicted)
    intervals.fit([(predicted, deviation, predicted + noise)])
    assert intervals.factor == pytest.approx(10 * norm.ppf((1 + LEVEL) / 2), rel=0.03)
    assert intervals.counted(torch.zeros(2, N_TARGETS, 4)).sum() == 0
