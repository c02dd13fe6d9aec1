import mne
import numpy as np
import pytest
from pydantic import ValidationError

from crossmodal.config import UserError
from crossmodal.config.cleaning import LineNoise
from crossmodal.config.preprocessing import Preprocessing
from preprocessing.steps.line_noise import remove_line_noise
from preprocessing.steps.segments import outside

_RATE_HZ = 400.0


def _with_line(raw, *lines_hz, amplitude=1.0):
    """Add sinusoids ten times as strong as each channel's noise."""
    for line_hz in lines_hz:
        wave_t = np.sin(2 * np.pi * line_hz * raw.times + 0.3)
        raw.apply_function(lambda x_t, wave_t=wave_t: x_t + 10 * amplitude * x_t.std() * wave_t, picks=["eeg", "meg"])
    return raw


def _settings(**line_noise):
    return Preprocessing(lowpass_hz=120, highpass_hz=None, sfreq=None, line_noise=LineNoise(**line_noise))


def _power(raw, spans, low_hz, high_hz):
    """Power of each channel in a band, over the samples outside `spans`."""
    good = outside(spans, len(raw.times), raw.info["sfreq"])
    x_ct = raw.get_data(picks=["eeg", "meg"])[:, np.flatnonzero(good)]
    density, frequencies_hz = mne.time_frequency.psd_array_welch(x_ct, raw.info["sfreq"], n_fft=1600, verbose="error")
    band = (frequencies_hz >= low_hz) & (frequencies_hz <= high_hz)
    return density[:, band].sum(axis=1)


def test_the_line_and_its_harmonics_fall_and_their_neighbours_stay(make_raw):
    raw = _with_line(make_raw(duration_s=40.0, sfreq=_RATE_HZ), 50.0, 100.0)
    before = raw.copy()
    spans = remove_line_noise(raw, _settings(), "a.fif")
    for line_hz in (50.0, 100.0):
        fallen_db = 10 * np.log10(_power(before, spans, line_hz, line_hz) / _power(raw, spans, line_hz, line_hz))
        assert fallen_db.min() > 40
        for low_hz in (line_hz - 6, line_hz + 2):
            kept = _power(raw, spans, low_hz, low_hz + 4) / _power(before, spans, low_hz, low_hz + 4)
            np.testing.assert_allclose(kept, 1, atol=0.03)


def test_a_line_off_its_frequency_falls_too(make_raw):
    raw = _with_line(make_raw(duration_s=40.0, sfreq=_RATE_HZ), 49.87)
    before = raw.copy()
    spans = remove_line_noise(raw, _settings(), "a.fif")
    assert (10 * np.log10(_power(before, spans, 49, 51) / _power(raw, spans, 49, 51))).min() > 20


def test_harmonics_that_the_lowpass_stops_are_left_to_it(make_raw):
    raw = _with_line(make_raw(duration_s=40.0, sfreq=_RATE_HZ), 60.0, 180.0)
    before = raw.copy()
    spans = remove_line_noise(raw, _settings(line_hz=60), "a.fif")
    assert (_power(raw, spans, 60, 60) / _power(before, spans, 60, 60)).max() < 1e-4
    np.testing.assert_allclose(_power(raw, spans, 180, 180) / _power(before, spans, 180, 180), 1, atol=0.01)


def test_ends_where_it_rings_are_given_back_to_be_masked(make_raw):
    raw = mne.concatenate_raws([make_raw(duration_s=20.0, sfreq=_RATE_HZ), make_raw(duration_s=2.0, sfreq=_RATE_HZ)], verbose="error")
    spans = remove_line_noise(_with_line(raw, 50.0, amplitude=1e3), _settings(), "a.fif")
    inner, outer = outside(spans, len(raw.times), _RATE_HZ), outside(spans[:1], len(raw.times), _RATE_HZ)
    assert [(round(span.start_s, 1), round(span.stop_s, 1)) for span in spans] == [(0.0, 1.7), (18.3, 20.0), (20.0, 22.0)]
    x_t = raw.get_data(picks="eeg")[0]
    assert np.abs(x_t[~outer]).max() > 10 * np.abs(x_t[inner]).max()


def test_recording_shorter_than_the_notch_is_refused_and_the_advice_holds(make_raw):
    with pytest.raises(
        UserError, match=r"a.fif: its 3.00 s .* notch's 3.30 s; set preprocessing.line_noise.transition_hz to more than 1.1"
    ):
        remove_line_noise(make_raw(duration_s=3.0, sfreq=_RATE_HZ), _settings(), "a.fif")
    remove_line_noise(make_raw(duration_s=3.0, sfreq=_RATE_HZ), _settings(transition_hz=1.15), "a.fif")


def test_a_rate_that_holds_no_line_is_told(make_raw):
    settings = Preprocessing(lowpass_hz=49, sfreq=None, line_noise=LineNoise(line_hz=48.9))
    with pytest.raises(UserError, match="a.fif: sampled at 99 Hz, it holds no line of 48.9 Hz"):
        remove_line_noise(make_raw(duration_s=30.0, sfreq=99.0), settings, "a.fif")


def test_off_is_no_change_and_a_useless_notch_is_refused(make_raw):
    raw = make_raw()
    before = raw.get_data()
    assert remove_line_noise(raw, Preprocessing(), "a.fif") == []
    np.testing.assert_array_equal(raw.get_data(), before)
    with pytest.raises(ValidationError, match="line_noise does nothing beyond lowpass_hz"):
        Preprocessing(line_noise=LineNoise())
