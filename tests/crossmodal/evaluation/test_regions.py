"""Scores of regions against their distance from the scalp."""

import numpy as np
import pytest

from crossmodal.evaluation.regions import RegionScores, depth_correlation, together

NAMES = tuple("abcdef")
DEPTH_M = np.array([0.02, 0.03, 0.04, 0.05, 0.06, np.nan])


def regions(by_subject, is_shown=(True,) * 6):
    return RegionScores(NAMES, DEPTH_M, np.array(is_shown), by_subject)


def test_regions_near_the_scalp_that_do_better_correlate_below_zero():
    falling, nearly = np.array([0.9, 0.5, 0.4, 0.3, 0.1, 0.7]), np.array([0.9, 0.4, 0.5, 0.3, 0.1, 0.7])
    found = depth_correlation(regions({"1": falling, "2": nearly}), 0.95)
    # One exchange of neighbours among five: 1 - 6 * 2 / (5 * 24).
    assert found.mean == pytest.approx((-1 - 0.9) / 2)
    assert found.interval[0] < found.mean < found.interval[1]
    assert (found.n_subjects, found.n_regions) == (2, 5)


def test_regions_that_the_input_does_not_show_are_left_out():
    scores = np.array([0.0, 0.5, 0.4, 0.3, 0.1, 0.7])
    assert depth_correlation(regions({"1": scores}), 0.95).mean > -1
    assert depth_correlation(regions({"1": scores}, (False, True, True, True, True, True)), 0.95).mean == pytest.approx(-1)


@pytest.mark.parametrize("scores", [np.zeros(6), np.array([0.2, 0.1, 0.3, np.nan, np.nan, 0.4])])
def test_ranks_of_few_regions_or_equal_scores_are_undefined(scores):
    found = depth_correlation(regions({"1": scores}), 0.95)
    assert np.isnan(found.mean)
    assert found.n_subjects == 0


def test_folds_are_put_together_and_a_subject_tested_twice_counts_once():
    both = together([regions({"1": np.zeros(6)}), regions({"1": np.ones(6), "2": np.ones(6)})])
    np.testing.assert_array_equal(both.by_subject["1"], 0.5)
    assert list(both.by_subject) == ["1", "2"]
