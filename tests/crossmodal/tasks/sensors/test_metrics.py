"""Streaming sums give what SciPy and scikit-learn give on the whole arrays."""

import numpy as np
import pytest
from scipy import signal, stats
from sklearn.metrics import r2_score

from crossmodal.tasks.sensors.metrics import SubjectSums, TruthBlock, type_slices

SFREQ, N_WINDOWS, N_TIMES = 100.0, 6, 200
TYPES = ("mag",) * 5 + ("grad",) * 4
UNITS = np.array([1e-13] * 5 + [1e-12] * 4)[:, None]
BANDS = {"alpha": (8.0, 13.0), "beyond": (60.0, 80.0)}


@pytest.fixture
def signals():
    generator = np.random.default_rng(0)
    truth = generator.normal(size=(N_WINDOWS, 9, N_TIMES)) * UNITS
    prediction = 0.6 * truth + 0.3 * generator.normal(size=truth.shape) * UNITS
    mean = 0.2 * generator.normal(size=(9, N_TIMES)) * UNITS
    return truth, prediction, mean


def accumulate(truth, prediction, mean, block=4):
    sums = SubjectSums(TYPES, SFREQ, N_TIMES)
    for first in range(0, len(truth), block):
        chosen = slice(first, first + block)
        sums.add(TruthBlock(truth[chosen], mean, TYPES, SFREQ), prediction[chosen])
    return sums


def flat(y_bst):
    return np.moveaxis(y_bst, 1, 0).reshape(y_bst.shape[1], -1)


def test_sensor_scores_are_those_of_scipy_and_sklearn(signals):
    truth, prediction, mean = signals
    scores = accumulate(truth, prediction, mean).sensors()
    true_s, predicted_s, reference_s = flat(truth), flat(prediction), flat(np.broadcast_to(mean, truth.shape))
    for s in range(9):
        assert scores.r[s] == pytest.approx(stats.pearsonr(true_s[s], predicted_s[s]).statistic, abs=1e-12)
        assert scores.r2[s] == pytest.approx(r2_score(true_s[s] / UNITS[s], predicted_s[s] / UNITS[s]), abs=1e-12)
        error = np.sum((true_s[s] - predicted_s[s]) ** 2)
        assert scores.nmse[s] == pytest.approx(error / np.sum(true_s[s] ** 2), rel=1e-10)
        assert scores.explained_variance[s] == pytest.approx(1 - error / np.sum((true_s[s] - reference_s[s]) ** 2), abs=1e-12)
        assert scores.rms_error[s] == pytest.approx(np.sqrt(error / true_s[s].size), rel=1e-12)


def test_explained_variance_of_a_type_pools_errors_before_dividing(signals):
    truth, prediction, mean = signals
    prediction[:, 0] *= 5
    types = accumulate(truth, prediction, mean).types(BANDS)
    for kind, columns in type_slices(TYPES).items():
        expected = 1 - np.sum((truth - prediction)[:, columns] ** 2) / np.sum((truth - mean)[:, columns] ** 2)
        assert types[kind].explained_variance == pytest.approx(expected, abs=1e-12)
        assert types[kind].rms_error == pytest.approx(np.sqrt(np.mean((truth - prediction)[:, columns] ** 2)), rel=1e-12)


def test_topography_correlation_is_over_sensors_at_each_time(signals):
    truth, prediction, mean = signals
    types = accumulate(truth, prediction, mean).types(BANDS)
    for kind, columns in type_slices(TYPES).items():
        pairs = [(t[columns, i], p[columns, i]) for t, p in zip(truth, prediction, strict=True) for i in range(N_TIMES)]
        expected = np.mean([stats.pearsonr(*pair).statistic for pair in pairs])
        assert types[kind].topography_r == pytest.approx(expected, abs=1e-12)


def test_log_psd_error_of_a_band_compares_welch_densities(signals):
    truth, prediction, mean = signals
    sums = accumulate(truth, prediction, mean)
    densities = []
    for y_bst in (truth, prediction):
        frequencies, density = signal.welch(flat(y_bst), SFREQ, "hann", nperseg=N_TIMES, noverlap=0, detrend="constant")
        densities.append(density)
    np.testing.assert_allclose(sums.psd()[0], densities[0], rtol=1e-10)
    band = (frequencies >= 8) & (frequencies < 13)
    expected = np.abs(10 * np.log10(densities[1] / densities[0]))[:5, band].mean()
    assert sums.types(BANDS)["mag"].log_psd_error_db["alpha"] == pytest.approx(expected, rel=1e-10)
    assert np.isnan(sums.types(BANDS)["mag"].log_psd_error_db["beyond"])


def test_blocks_of_any_size_give_the_same_scores(signals):
    whole, pieces = accumulate(*signals, block=6).types(BANDS)["grad"], accumulate(*signals, block=1).types(BANDS)["grad"]
    assert whole.explained_variance == pytest.approx(pieces.explained_variance, rel=1e-12)
    assert whole.r == pytest.approx(pieces.r, rel=1e-12)


def test_the_training_mean_itself_explains_nothing(signals):
    truth, _, mean = signals
    types = accumulate(truth, np.broadcast_to(mean, truth.shape), mean).types(BANDS)
    assert types["mag"].explained_variance == pytest.approx(0.0, abs=1e-12)


def test_a_constant_prediction_has_no_correlation_and_no_power(signals):
    truth, _, mean = signals
    constant = np.broadcast_to(UNITS, truth.shape)
    sums = accumulate(truth, constant, mean)
    assert np.isnan(sums.sensors().r).all()
    metrics = sums.types(BANDS)["mag"]
    assert np.isnan(metrics.r)
    assert np.isnan(metrics.topography_r)
    assert np.isnan(metrics.log_psd_error_db["alpha"])


def test_a_prediction_that_is_the_same_in_each_window_has_no_error_of_its_spectrum(signals):
    truth, prediction, mean = signals
    recurring = np.broadcast_to(mean, truth.shape).copy()
    assert np.isnan(accumulate(truth, recurring, mean).types(BANDS)["mag"].log_psd_error_db["alpha"])
    # Of one window nobody can tell, and a sensor that does vary is told of.
    one = slice(0, 1)
    assert accumulate(truth[one], recurring[one], mean).types(BANDS)["mag"].log_psd_error_db["alpha"] > 0
    recurring[-1, 2] = prediction[-1, 2]
    sums = accumulate(truth, recurring, mean)
    truth_psd, predicted_psd = (psd_sf[2] for psd_sf in sums.psd())
    band = (sums.frequencies_hz >= 8) & (sums.frequencies_hz < 13)
    expected = np.abs(10 * np.log10(predicted_psd[band] / truth_psd[band])).mean()
    assert sums.types(BANDS)["mag"].log_psd_error_db["alpha"] == pytest.approx(expected)


def test_an_offset_a_thousand_times_the_signal_costs_no_digits(signals):
    truth, prediction, mean = signals
    plain = accumulate(truth, prediction, mean).sensors()
    raised = accumulate(truth + 1000 * UNITS, prediction + 1000 * UNITS, mean + 1000 * UNITS).sensors()
    np.testing.assert_allclose(raised.r, plain.r, atol=1e-9)
    np.testing.assert_allclose(raised.explained_variance, plain.explained_variance, atol=1e-9)


def test_sensors_must_come_ordered_by_type():
    assert type_slices(("mag", "mag", "grad")) == {"mag": slice(0, 2), "grad": slice(2, 3)}
    with pytest.raises(AssertionError, match="not ordered"):
        type_slices(("mag", "grad", "mag"))
