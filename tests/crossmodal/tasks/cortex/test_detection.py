"""Which regions are active, against scikit-learn and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from crossmodal.tasks.cortex.detection import active_auc, average_precision, otsu_detection
from crossmodal.transforms.otsu import above_otsu


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_areas_are_those_of_scikit_learn_ties_included(seed):
    rng = np.random.default_rng(seed)
    active_r = np.arange(8) < 3
    truth = rng.standard_normal((3, 8, 5)) * active_r[:, None]
    prediction = np.round(truth + rng.standard_normal(truth.shape))
    for metric, expected in ((active_auc, roc_auc_score), (average_precision, average_precision_score)):
        of_one = metric(truth, prediction)
        np.testing.assert_allclose(of_one, [expected(active_r, np.mean(of_one**2, axis=1)) for of_one in prediction])
        np.testing.assert_array_equal(metric(truth, 2 * prediction), of_one)


def test_silence_is_worth_what_chance_is():
    truth = np.ones((1, 8, 5)) * (np.arange(8) < 2)[:, None]
    silence = np.zeros_like(truth)
    np.testing.assert_array_equal(active_auc(truth, silence), [0.5])
    np.testing.assert_allclose(average_precision(truth, silence), [0.25])
    np.testing.assert_array_equal(otsu_detection(truth, silence), [[np.nan], [0]])
    for metric in (active_auc, average_precision):
        assert np.isnan(metric(silence, truth)).all()
    assert np.isnan(otsu_detection(silence, truth).recall_b)


def test_precision_and_recall_by_hand():
    """Above the threshold are regions 0, 1 and 4; active are 0, 1, 2 and 3."""
    amplitude_r = np.array([5.0, 4, 1, 0, 4, 0.5])
    truth, prediction = np.ones((1, 6, 4)) * (np.arange(6) < 4)[:, None], amplitude_r[:, None] * np.array([1, -1, 1, -1])
    found = otsu_detection(truth, prediction[None])
    assert (found.precision_b[0], found.recall_b[0]) == pytest.approx((2 / 3, 2 / 4))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_otsu_s_threshold_divides_values_where_classes_differ_most(seed):
    values_r = np.round(np.random.default_rng(seed).exponential(size=12), 1)

    def between(threshold):
        upper, lower = values_r[values_r >= threshold], values_r[values_r < threshold]
        return len(upper) * len(lower) * (upper.mean() - lower.mean()) ** 2

    found_r = above_otsu(values_r[None])[0]
    best = max(between(threshold) for threshold in np.unique(values_r)[1:])
    assert values_r[found_r].min() > values_r[~found_r].max()
    assert between(values_r[found_r].min()) == pytest.approx(best)
