"""Metrics of cortical activity against what they are in closed form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr

from crossmodal.tasks.cortex.metrics import (
    explained_variance,
    power_correlation,
    region_explained_variance,
    spatial_correlation,
    temporal_correlation,
)
from crossmodal.tasks.cortex.minimum_norm import own_head_minimum_norm
from tests.crossmodal.tasks.cortex.heads import feed, head

# The second region is the strongest although the first has the largest value.
TRUTH = np.array([[[3.0, 0, 0, 0], [2, -2, 2, -2], [0, 0, 0, 0]]])
SAMPLE_METRICS = (power_correlation, temporal_correlation, spatial_correlation)


def test_a_perfect_prediction():
    assert explained_variance(TRUTH, TRUTH) == 1
    np.testing.assert_array_equal(region_explained_variance(TRUTH, TRUTH), [1, 1, np.nan])
    for metric in SAMPLE_METRICS:
        np.testing.assert_allclose(metric(TRUTH, TRUTH), [1])


def test_silence():
    silence = np.zeros_like(TRUTH)
    assert explained_variance(TRUTH, silence) == 0
    np.testing.assert_array_equal(region_explained_variance(TRUTH, silence), [0, 0, np.nan])
    for metric in SAMPLE_METRICS:
        np.testing.assert_array_equal(metric(TRUTH, silence), [0])
    for metric in (explained_variance, region_explained_variance, *SAMPLE_METRICS):
        assert np.isnan(metric(silence, TRUTH)).all()


def test_explained_variance_by_hand():
    predicted = TRUTH.copy()
    predicted[0, 0] = 0  # 9 of 9 + 16 missed
    predicted[0, 1] /= 2  # (2 - 1)^2 four times
    assert explained_variance(TRUTH, predicted) == pytest.approx(1 - 13 / 25)
    np.testing.assert_allclose(region_explained_variance(TRUTH, predicted), [0, 0.75, np.nan])


def test_spatial_correlation_weighs_times_by_the_true_map():
    truth = np.array([[[1.0, 4.0], [-1, -4], [0, 0]]])
    prediction = np.array([[[1.0, -1.0], [-1, 1], [0, 0]]])
    # +1 at a map of norm sqrt(2), -1 at one four times as strong.
    np.testing.assert_allclose(spatial_correlation(truth, prediction), [(1 - 4) / 5])
    np.testing.assert_allclose(spatial_correlation(truth, prediction + 7), [(1 - 4) / 5])


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10))
def test_correlations_are_those_of_power_over_regions_and_of_moments_over_times(seed, scale):
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((3, 8, 5)) * (np.arange(8) < 3)[:, None]
    prediction = truth + rng.standard_normal(truth.shape)
    spatial = [pearsonr((one**2).mean(1), (other**2).mean(1))[0] for one, other in zip(truth, prediction, strict=True)]
    np.testing.assert_allclose(power_correlation(truth, scale * prediction), spatial)
    temporal = [
        np.mean([pearsonr(one[region], other[region])[0] for region in range(3)]) for one, other in zip(truth, prediction, strict=True)
    ]
    np.testing.assert_allclose(temporal_correlation(truth, scale * prediction), temporal)
    np.testing.assert_allclose(spatial_correlation(truth, scale * prediction), spatial_correlation(truth, prediction))


def test_an_estimate_from_noise_alone_scores_nothing():
    """The published temporal correlation, of a prediction at one time with itself at the next, is .98 where the truth plays no part."""
    of = feed("test", snr_db=(-60.0, -60.0), background=1.0, background_exponent=3.0)
    batch = next(of.batches(100, np.arange(100)))
    predicted = own_head_minimum_norm(head("04"), of.normaliser, snr=10.0)(batch.input_bct).numpy()
    truth = batch.target_bst.numpy()
    with_itself = np.mean([np.corrcoef(of_one[:, 0], of_one[:, 1])[0, 1] for of_one in predicted])
    assert with_itself > 0.9
    assert abs(temporal_correlation(truth, predicted).mean()) < 0.1
    assert abs(power_correlation(truth, predicted).mean()) < 0.1
    assert abs(spatial_correlation(truth, predicted).mean()) < 0.1
