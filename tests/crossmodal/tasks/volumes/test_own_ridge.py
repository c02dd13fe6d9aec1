"""The oracle of a subject's own scans finds what features tell, and never learns from what lies near."""

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.stats import pearsonr

from crossmodal.tasks.volumes.own_ridge import cross_fitted

PENALTIES = (1e-2, 1.0, 100.0)
TIME_S = 2.0 * np.arange(300)
ONE_SCAN = np.zeros(300, dtype=int)


def smooth(rng, n, width=6.0):
    """Time courses as slow as BOLD, shape (300, n)."""
    courses = gaussian_filter1d(rng.standard_normal((300, n)), width, axis=0)
    return (courses - courses.mean(axis=0)) / courses.std(axis=0)


def r(predicted, truth):
    return np.mean([pearsonr(*pair).statistic for pair in zip(predicted.T, truth.T, strict=True)])


def test_what_features_tell_is_found_and_what_they_do_not_is_not():
    rng = np.random.default_rng(0)
    features = rng.standard_normal((300, 400))
    weights = rng.standard_normal((400, 5)) * (np.arange(400) < 10)[:, None]
    told = features @ weights
    targets = np.column_stack([told / told.std(axis=0) + 0.3 * rng.standard_normal((300, 5)), smooth(rng, 20)])
    predicted = cross_fitted(features + 3, targets + 100, ONE_SCAN, TIME_S, 50.0, PENALTIES)
    assert r(predicted[:, :5], targets[:, :5]) > 0.5
    assert abs(r(predicted[:, 5:], targets[:, 5:])) < 0.1
    # Scans have means of their own, which tell nothing of changes.
    two = ONE_SCAN + (TIME_S > 300)
    shifted = cross_fitted(features + 5 * two[:, None], targets - 10 * two[:, None], two, TIME_S - 300 * two, 50.0, PENALTIES)
    assert r(shifted[:, :5], targets[:, :5]) > 0.5


def test_features_that_tell_the_time_alone_tell_nothing_across_a_gap():
    """Neighbours share slow targets: without a gap, knowing when a volume comes would be enough."""
    rng = np.random.default_rng(1)
    clock = np.exp(-0.5 * ((TIME_S[:, None] - TIME_S) / 8.0) ** 2)
    targets = smooth(rng, 40)
    scores = [r(cross_fitted(clock, targets, ONE_SCAN, TIME_S, gap_s, PENALTIES), targets) for gap_s in (2.0, 50.0)]
    assert scores[0] > 0.15
    assert scores[1] < 0.05


def test_scans_too_short_for_a_gap_have_no_oracle():
    rng = np.random.default_rng(2)
    assert cross_fitted(rng.standard_normal((40, 5)), rng.standard_normal((40, 2)), ONE_SCAN[:40], TIME_S[:40], 52.0, PENALTIES) is None
