"""Metrics of cortical activity against what they are in closed form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from crossmodal.tasks.cortex.metrics import (
    active_auc,
    explained_variance,
    localisation_error_m,
    region_explained_variance,
    spatial_correlation,
)

CENTRES_M = np.array([[0.0, 0, 0], [0.03, 0.04, 0], [0, 0, 0.01]])
# The second region is the strongest although the first has the largest value.
TRUTH = np.array([[[3.0, 0, 0, 0], [2, -2, 2, -2], [0, 0, 0, 0]]])


def test_a_perfect_prediction():
    assert explained_variance(TRUTH, TRUTH) == 1
    np.testing.assert_array_equal(region_explained_variance(TRUTH, TRUTH), [1, 1, np.nan])
    np.testing.assert_array_equal(localisation_error_m(TRUTH, TRUTH, CENTRES_M), [0])
    np.testing.assert_allclose(spatial_correlation(TRUTH, TRUTH), [1])
    np.testing.assert_array_equal(active_auc(TRUTH, TRUTH), [1])


def test_silence():
    silence = np.zeros_like(TRUTH)
    assert explained_variance(TRUTH, silence) == 0
    np.testing.assert_array_equal(region_explained_variance(TRUTH, silence), [0, 0, np.nan])
    assert np.isnan(localisation_error_m(TRUTH, silence, CENTRES_M)).all()
    np.testing.assert_array_equal(spatial_correlation(TRUTH, silence), [0])
    np.testing.assert_array_equal(active_auc(TRUTH, silence), [0.5])
    for metric in (explained_variance, region_explained_variance, spatial_correlation, active_auc):
        assert np.isnan(metric(silence, TRUTH)).all()


def test_explained_variance_by_hand():
    predicted = TRUTH.copy()
    predicted[0, 0] = 0  # 9 of 9 + 16 missed
    predicted[0, 1] /= 2  # (2 - 1)^2 four times
    assert explained_variance(TRUTH, predicted) == pytest.approx(1 - 13 / 25)
    np.testing.assert_allclose(region_explained_variance(TRUTH, predicted), [0, 0.75, np.nan])


def test_localisation_error_is_the_distance_of_the_strongest_regions():
    for predicted, expected_m in ((0, 0.05), (1, 0.0), (2, np.hypot(0.05, 0.01))):
        prediction = np.zeros_like(TRUTH)
        prediction[0, predicted] = 1
        np.testing.assert_allclose(localisation_error_m(TRUTH, prediction, CENTRES_M), [expected_m])


def test_spatial_correlation_weighs_times_by_the_true_map():
    truth = np.array([[[1.0, 4.0], [-1, -4], [0, 0]]])
    prediction = np.array([[[1.0, -1.0], [-1, 1], [0, 0]]])
    # +1 at a map of norm sqrt(2), -1 at one four times as strong.
    np.testing.assert_allclose(spatial_correlation(truth, prediction), [(1 - 4) / 5])
    np.testing.assert_allclose(spatial_correlation(truth, prediction + 7), [(1 - 4) / 5])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10))
def test_area_is_that_of_scikit_learn_and_a_scale_changes_no_map(seed, scale):
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((3, 8, 5)) * (np.arange(8) < 3)[:, None]
    prediction = np.round(truth + rng.standard_normal(truth.shape))
    area = active_auc(truth, prediction)
    expected = [roc_auc_score(np.arange(8) < 3, np.mean(of_one**2, axis=1)) for of_one in prediction]
    np.testing.assert_allclose(area, expected)
    np.testing.assert_array_equal(active_auc(truth, 2 * prediction), area)
    np.testing.assert_allclose(spatial_correlation(truth, scale * prediction), spatial_correlation(truth, prediction))
