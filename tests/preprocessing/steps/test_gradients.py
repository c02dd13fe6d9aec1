"""Removal of gradients is measured on EEG whose gradients are known."""

import mne
import numpy as np
import pytest

from crossmodal.config import UserError
from crossmodal.config.bold import GradientCorrection
from preprocessing.signals.spans import Span
from preprocessing.steps.gradients import correct_gradients, find_begins, subtract_template

SFREQ, TR_S, N_VOLUMES, FIRST_S = 1000.0, 1.28, 60, 3.7


@pytest.fixture
def scanned():
    """EEG of 20 uV in gradients of millivolts that grow by a tenth over the run; the scanner starts 3.7 s after the EEG."""
    rng = np.random.default_rng(0)
    length, first = round(TR_S * SFREQ), round(FIRST_S * SFREQ)
    n_times = first + N_VOLUMES * length + 2500
    eeg = np.zeros((2, n_times))
    for channel in range(2):  # pink-like: white noise summed with a leak
        white = rng.standard_normal(n_times)
        for time in range(1, n_times):
            eeg[channel, time] = 0.95 * eeg[channel, time - 1] + white[time]
    eeg *= 20e-6 / eeg.std()
    shape = np.sin(2 * np.pi * 23 * np.arange(length) / length) * np.sin(np.pi * np.arange(length) / length) * 3e-3
    gradients = np.zeros_like(eeg)
    for volume in range(N_VOLUMES):
        gradients[:, first + volume * length : first + (volume + 1) * length] = shape * (1 + 0.1 * volume / N_VOLUMES)
    markers_s = FIRST_S + TR_S * np.arange(N_VOLUMES)
    return eeg, gradients, markers_s


def test_gradients_a_hundred_times_the_eeg_are_removed_to_below_it(scanned):
    eeg, gradients, markers_s = scanned
    raw = mne.io.RawArray(eeg + gradients, mne.create_info(2, SFREQ, "eeg"), verbose="error")
    correct_gradients(raw, markers_s, (), GradientCorrection(epochs=15), "run")
    cleaned = raw.get_data()
    during = slice(round(FIRST_S * SFREQ), round((FIRST_S + TR_S * N_VOLUMES) * SFREQ))
    residual = cleaned[:, during] - eeg[:, during]
    attenuation_db = 20 * np.log10(gradients[:, during].std() / residual.std())
    assert attenuation_db > 38
    for channel in range(2):
        assert np.corrcoef(cleaned[channel, during], eeg[channel, during])[0, 1] > 0.93
    np.testing.assert_array_equal(np.delete(cleaned, np.r_[during], axis=1), np.delete(eeg, np.r_[during], axis=1))


def test_a_constant_artifact_leaves_only_what_the_template_takes_of_the_eeg(scanned):
    """With an artifact that repeats exactly, the residual is the mean over n stretches of EEG: 1 / n of its power."""
    rng = np.random.default_rng(1)
    onsets = 500 + 1000 * np.arange(200)
    eeg, artifact = rng.standard_normal(500 + 1000 * 200), np.zeros(500 + 1000 * 200)
    artifact[500:] = np.tile(1e4 * rng.standard_normal(1000), 200)
    for n_epochs in (10, 40):
        residual = (subtract_template(eeg + artifact, onsets, np.full(len(onsets), True), n_epochs) - eeg)[500:]
        assert residual.var() == pytest.approx(1 / n_epochs, rel=0.1)


def test_markers_counted_from_sample_zero_would_leave_the_gradients(scanned):
    """The control: the same correction at the wrong times removes next to nothing where amplitudes drift and volumes end."""
    eeg, gradients, markers_s = scanned
    onsets = np.round((markers_s - FIRST_S) * SFREQ).astype(np.int64)
    residual = subtract_template(eeg[0] + gradients[0], onsets, np.full(len(onsets), True), 15) - eeg[0]
    assert residual[-3000:].std() > 20 * eeg[0].std()


def test_a_cut_off_last_volume_and_uneven_lengths_are_corrected(scanned):
    rng = np.random.default_rng(2)
    lengths = rng.integers(99, 101, 50)
    onsets = np.concatenate([[0], np.cumsum(lengths)])[:50]
    n_times = int(onsets[-1]) + 60
    shape = rng.standard_normal(100) * 1e3
    x = np.zeros(n_times)
    for start, stop in zip(onsets, [*onsets[1:], n_times], strict=True):
        x[start:stop] = shape[: stop - start]
    residual = subtract_template(x, onsets, np.full(len(onsets), True), 10)
    assert np.abs(residual).max() < 0.15 * np.abs(shape).max()


def test_a_pause_of_the_scanner_is_left_as_it_was():
    """Two series of volumes in one EEG, as a discarded start and the run itself."""
    rng = np.random.default_rng(3)
    onsets = np.concatenate([500 + 1000 * np.arange(3), 20_500 + 1000 * np.arange(60)])
    eeg, artifact = rng.standard_normal(81_000), np.zeros(81_000)
    shape = 1e3 * rng.standard_normal(1000)
    for onset in onsets:
        artifact[onset : onset + 1000] = shape[: len(artifact) - onset]
    corrected = subtract_template(eeg + artifact, onsets, np.full(len(onsets), True), 25)
    np.testing.assert_array_equal(corrected[3500:20_500], eeg[3500:20_500])
    assert (corrected - eeg)[20_500:80_500].std() < 0.3


def test_what_happens_in_a_bad_span_changes_no_sample_outside(scanned):
    eeg, gradients, markers_s = scanned
    bad = [Span(FIRST_S + 10.2, FIRST_S + 10.7), Span(FIRST_S + 40 * TR_S - 0.2, FIRST_S + 40 * TR_S + 0.2)]
    outside_t, corrected = np.ones(eeg.shape[1], dtype=bool), []
    for span in bad:
        outside_t[round(span.start_s * SFREQ) : round(span.stop_s * SFREQ)] = False
    for inside in (0.0, 1e-2):
        raw = mne.io.RawArray(eeg + gradients + inside * ~outside_t, mne.create_info(2, SFREQ, "eeg"), verbose="error")
        correct_gradients(raw, markers_s, bad, GradientCorrection(epochs=15), "run")
        corrected.append(raw.get_data()[:, outside_t])
    np.testing.assert_array_equal(*corrected)
    assert np.std(corrected[0] - eeg[:, outside_t]) < 0.4 * eeg.std()
    with pytest.raises(UserError, match="run: has 56 volumes outside bad spans, preprocessing.gradients.epochs needs 57; lower it"):
        correct_gradients(raw, markers_s, bad, GradientCorrection(epochs=57), "run")


def test_too_few_volumes_for_a_template_are_told():
    raw = mne.io.RawArray(np.zeros((1, 5000)), mne.create_info(1, SFREQ, "eeg"), verbose="error")
    with pytest.raises(UserError, match=r"run: has 3 volume markers, preprocessing.gradients.epochs needs 25; lower it"):
        correct_gradients(raw, np.arange(3.0), (), GradientCorrection(), "run")


def _left_of(markers_of, tr_s=1.0, n_volumes=60, pause_s=0.0, n_missing=0, bad=()):
    """Residual, uV rms, and what is said, of an artifact with harmonics up to 350 Hz whose volumes begin between samples."""
    rng = np.random.default_rng(4)
    begins_s = 2 + tr_s * np.arange(n_volumes)
    begins_s[n_volumes // 2 :] += pause_s
    begins_s = np.delete(begins_s, slice(1, 1 + n_missing))
    times_s = np.arange(round((begins_s[-1] + 3) * SFREQ)) / SFREQ
    eeg = 15e-6 * np.vstack([np.convolve(rng.standard_normal(len(times_s) + 99), np.hanning(100) / 6.1, "valid") for _ in range(2)])
    harmonics = np.arange(3, 350, 7)
    amplitudes, phases = rng.standard_normal(50) * np.exp(-harmonics / 150) * 3e-4, rng.uniform(0, 6.28, 50)
    gradients = np.zeros_like(times_s)
    for begin_s in begins_s:
        inside = (times_s >= begin_s) & (times_s < begin_s + tr_s)
        turns = np.outer((times_s[inside] - begin_s) / tr_s, harmonics)
        gradients[inside] = np.cos(2 * np.pi * turns + phases) @ amplitudes
    raw = mne.io.RawArray(eeg + np.outer([1, -0.4], gradients), mne.create_info(2, SFREQ, "eeg"), verbose="error")
    is_bad = np.any([(times_s >= span.start_s) & (times_s < span.stop_s) for span in bad], axis=0)
    raw._data += 1e-2 * is_bad
    (said,) = correct_gradients(raw, markers_of(begins_s, rng) / SFREQ, bad, GradientCorrection(epochs=20), "run")
    during = np.any([(times_s > begin_s + 0.01) & (times_s < begin_s + 0.98) for begin_s in begins_s[1:-1]], axis=0) & ~is_bad
    return 1e6 * (raw.get_data() - eeg)[0, during].std(), said


def _nearest(begins_s, rng):
    return np.round(begins_s * SFREQ)


def _jittering(begins_s, rng):
    return np.round(begins_s * SFREQ) + rng.integers(-5, 6, len(begins_s))


@pytest.fixture(scope="module")
def synchronised():
    left, said = _left_of(_nearest)
    assert said.startswith("about")
    return left


@pytest.mark.parametrize("drift_ppm", [0.1, 3.0, 10.0, 37.0, 100.0, -100.0])
def test_clocks_that_drift_leave_no_more_than_synchronised_ones(synchronised, drift_ppm):
    left, said = _left_of(_nearest, tr_s=1 + 1e-6 * drift_ppm)
    assert left < 1.1 * synchronised
    assert drift_ppm < 3 or "not synchronised" in said


def test_clocks_that_drift_leave_no_more_of_few_volumes_nor_of_two_series():
    for options in ({"n_volumes": 24, "pause_s": 0.7345}, {"pause_s": 7.3, "n_missing": 2}):
        synchronised = _left_of(_nearest, **options)[0]
        for markers_of in (_nearest, _jittering):
            assert _left_of(markers_of, tr_s=1 + 3e-5, **options)[0] < 1.2 * synchronised


def test_clocks_that_drift_leave_no_more_beside_bad_spans(synchronised):
    left, said = _left_of(_nearest, tr_s=1 + 1e-5, bad=[Span(start_s, start_s + 0.5) for start_s in (12.3, 25.7, 41.1)])
    assert left < 1.2 * synchronised
    assert "not synchronised" in said


@pytest.mark.parametrize("drift_ppm", [0.0, 20.0])
def test_markers_that_jitter_leave_no_more(synchronised, drift_ppm):
    left, said = _left_of(_jittering, tr_s=1 + 1e-6 * drift_ppm)
    assert left < 1.1 * synchronised
    assert "beside their markers" in said


def test_where_clocks_are_synchronised_whole_samples_are_kept(scanned):
    eeg, gradients, markers_s = scanned
    raw = mne.io.RawArray(eeg + gradients, mne.create_info(2, SFREQ, "eeg"), verbose="error")
    correct_gradients(raw, markers_s, (), GradientCorrection(epochs=15), "run")
    markers = np.round(markers_s * SFREQ).astype(np.int64)
    np.testing.assert_array_equal(raw.get_data()[0], subtract_template(eeg[0] + gradients[0], markers, np.full(len(markers), True), 15))


def test_what_is_left_is_told():
    """An artifact whose amplitude jumps from volume to volume is no template's: half of what is left is what the run says, at least."""
    rng = np.random.default_rng(5)
    eeg, shape = 10e-6 * rng.standard_normal(70_000), np.sin(2 * np.pi * 23 * np.arange(1000) / 1000)
    left = np.repeat(np.where(np.arange(60) // 5 % 2, 20e-6, -20e-6), 1000) * np.tile(shape, 60)
    artifact = np.zeros(70_000)
    artifact[3000:63_000] = left + np.tile(1e-3 * shape, 60)
    raw = mne.io.RawArray([eeg + artifact], mne.create_info(1, SFREQ, "eeg"), verbose="error")
    (said,) = correct_gradients(raw, 3 + np.arange(60.0), (), GradientCorrection(), "run")
    true_uv = 1e6 * (raw.get_data()[0] - eeg)[3000:63_000].std()
    assert 0.6 * true_uv < float(said.split()[1]) < 1.2 * true_uv


def test_a_channel_that_is_not_finite_tells_nothing_and_stops_nothing():
    rng = np.random.default_rng(6)
    begins = 500 + 1000.3 * np.arange(60)
    time = np.arange(61_000)
    artifact = 1e-3 * np.sin(2 * np.pi * 40 * (time - 500) / 1000.3) * (time >= 500)
    data = 1e-5 * rng.standard_normal((2, 61_000)) + artifact
    data[0, 700] = np.nan
    markers = np.round(begins).astype(np.int64)
    found = find_begins(data, markers, np.full(len(markers), True), 20, SFREQ)
    np.testing.assert_allclose(found - found.mean(), begins - begins.mean(), atol=0.02)
    np.testing.assert_array_equal(find_begins(data[:1], markers, np.full(len(markers), True), 20, SFREQ), markers)
