import mne
import numpy as np
import pytest

from crossmodal.config import UserError
from crossmodal.config.preprocessing import Preprocessing
from preprocessing.steps.filtering import filter_recording


def _sinusoids(raw, *frequencies_hz):
    wave_t = sum(np.sin(2 * np.pi * frequency * raw.times) for frequency in frequencies_hz)
    return raw.apply_function(lambda x_t: wave_t, picks=["eeg", "meg"])


def test_band_passes_unshifted_and_the_rest_does_not(make_raw):
    raw = _sinusoids(make_raw(duration_s=30.0), 0.05, 10.0, 80.0)
    assert filter_recording(raw, Preprocessing(highpass_hz=1.0, lowpass_hz=40.0), "a.fif") == []
    inner = slice(1000, 5000)
    for modality in ("eeg", "mag", "grad"):
        np.testing.assert_allclose(raw.copy().pick(modality).get_data()[0, inner], np.sin(2 * np.pi * 10 * raw.times[inner]), atol=0.01)


def test_recording_shorter_than_the_filter_is_refused_and_the_advice_holds(make_raw):
    with pytest.raises(
        UserError, match=r"a.fif: its 3.00 s .* shorter than the filter's 6.6\d s; set preprocessing.highpass_hz to 1.2 or more"
    ):
        filter_recording(make_raw(duration_s=3.0), Preprocessing(), "a.fif")
    filter_recording(make_raw(duration_s=3.0), Preprocessing(highpass_hz=1.2), "a.fif")


def test_no_advice_where_none_helps(make_raw):
    with pytest.raises(UserError, match="leave the recording out, or do not filter"):
        filter_recording(make_raw(duration_s=0.2), Preprocessing(), "a.fif")


def test_lowpass_must_lie_in_the_recorded_band(make_raw):
    with pytest.raises(UserError, match="a.fif: sampled at 80 Hz, so preprocessing.lowpass_hz must be below 40"):
        filter_recording(make_raw(duration_s=20.0, sfreq=80.0), Preprocessing(), "a.fif")


def test_piece_too_short_to_filter_is_returned_for_masking(make_raw):
    raw = mne.concatenate_raws([make_raw(duration_s=20.0), make_raw(duration_s=2.0)], verbose="error")
    (piece,) = filter_recording(raw, Preprocessing(), "a.fif")
    assert (round(piece.start_s, 6), round(piece.stop_s, 6)) == (20.0, 22.0)


def test_no_filter_is_no_change(make_raw):
    raw = make_raw(duration_s=0.5)
    before = raw.get_data()
    filter_recording(raw, Preprocessing(highpass_hz=None, lowpass_hz=None, sfreq=None), "a.fif")
    np.testing.assert_array_equal(raw.get_data(), before)
