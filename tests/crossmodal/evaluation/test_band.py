"""The band of the ceilings against what MNE does to a recording."""

import mne
import numpy as np
import pytest

from crossmodal.config.preprocessing import Preprocessing
from crossmodal.evaluation.band import power_gain, preprocessed_band

UNTOUCHED = Preprocessing(highpass_hz=None, lowpass_hz=None, sfreq=None)


@pytest.mark.parametrize("edges", [(0.5, 40.0), (None, 30.0), (2.0, None)])
def test_power_gain_is_that_of_raw_filter(edges: tuple[float | None, float | None]) -> None:
    sfreq, n_times = 250.0, 20_000
    impulse = np.zeros((1, n_times))
    impulse[0, n_times // 2] = 1
    raw = mne.io.RawArray(impulse, mne.create_info(1, sfreq, "eeg"), verbose="error").filter(*edges, verbose="error")
    frequencies_hz = np.fft.rfftfreq(n_times, 1 / sfreq)
    settings = Preprocessing(highpass_hz=edges[0], lowpass_hz=edges[1], sfreq=None)

    gain = power_gain(settings, sfreq, frequencies_hz)

    np.testing.assert_allclose(gain, np.abs(np.fft.rfft(raw.get_data()[0])) ** 2, atol=1e-4)


def test_weights_give_the_variance_of_white_noise_after_preprocessing() -> None:
    sfreq, settings = 250.0, Preprocessing()
    noise = np.random.default_rng(0).standard_normal((40, 25_000))
    raw = mne.io.RawArray(noise, mne.create_info(40, sfreq, "mag"), verbose="error")
    data = raw.filter(settings.highpass_hz, settings.lowpass_hz, verbose="error").resample(settings.sfreq, verbose="error").get_data()

    expected = preprocessed_band(settings, sfreq).weights_hz.sum() / (sfreq / 2)

    # The filter's reflected padding adds variance within its reach of either end.
    within = data[:, 400:-400]
    assert within.var() == pytest.approx(expected, rel=0.005)


def test_band_ends_where_resampling_cuts() -> None:
    band = preprocessed_band(Preprocessing(), sfreq=250.0)
    untouched = preprocessed_band(UNTOUCHED, sfreq=250.0)

    assert band.frequencies_hz.max() < 50 < untouched.frequencies_hz.max()
    assert untouched.weights_hz.sum() == pytest.approx(125.0)
    np.testing.assert_allclose(untouched.squared_weights_hz, untouched.weights_hz)
