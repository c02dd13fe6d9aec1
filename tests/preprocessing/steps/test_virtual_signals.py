"""What predict wrote is no recording, in whatever format it comes back."""

import mne
import numpy as np
import pytest

from crossmodal.config import UserError
from crossmodal.config.preprocessing import FileEntry, FileRecordings, Preprocessing
from crossmodal.datasets.virtual_data import VIRTUAL, has_gaps, leave_gaps
from preprocessing.readers.files import list_files
from preprocessing.recording import preprocess_recording
from tests.preprocessing.readers.formats.edf import write_edf

PAIRED = ("sample_audvis_trunc_raw_sss.fif", "sample_neuromag306_first_half_raw.fif", "test_move_anon_erm_raw.fif")


def opened(path, tmp_path, **settings):
    recordings = FileRecordings(files=(FileEntry(path=str(path), subject="1"),))
    (entry,) = list_files(recordings)
    return preprocess_recording(entry, recordings, Preprocessing(**{"modalities": ("eeg",), **settings}), tmp_path)


def brain(raw, seed=1):
    """Give a recording a spectrum that falls as the brain's does, to 40 Hz."""
    n_times = len(raw.times)
    frequencies_hz = np.fft.rfftfreq(n_times, 1 / raw.info["sfreq"])
    gain = np.where((frequencies_hz > 0.5) & (frequencies_hz < 45), np.maximum(frequencies_hz, 0.5) ** -1.0, 1e-4)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal((len(raw.ch_names), n_times))) * gain
    falling = np.fft.irfft(spectrum, n_times)
    raw._data = falling / falling.std() * raw._data.std(axis=1, keepdims=True)
    return raw


@pytest.fixture
def virtual(make_raw):
    raw = brain(make_raw(30.0, 250.0).pick("eeg"))
    raw._data = leave_gaps(raw._data, 250.0, 40.0)
    return raw


def write(path, raw):
    match path.suffix:
        case ".fif":
            raw.save(path, verbose="error")
        case ".bdf":
            sfreq = round(raw.info["sfreq"])
            whole_s = len(raw.times) // sfreq * sfreq
            write_edf(path, 1e6 * raw.get_data()[:, :whole_s], raw.ch_names, ["uV"] * len(raw.ch_names), sfreq)
        case _:
            mne.export.export_raw(path, raw, verbose="error")


_CHANGES = {
    "whole": lambda raw: raw,
    "cropped": lambda raw: raw.crop(7.0, 17.0),
    "resampled": lambda raw: raw.resample(160.0, verbose="error"),
    "of two channels": lambda raw: raw.pick(["C3", "O1"]),
    "referenced": lambda raw: raw.set_eeg_reference(["Fp1"], verbose="error").drop_channels(["Fp1"]),
}


@pytest.mark.parametrize("change", _CHANGES)
@pytest.mark.parametrize("ending", ["_raw.fif", ".edf", ".bdf", ".vhdr", ".set"])
def test_a_prediction_without_its_description_is_refused_in_every_format(virtual, change, ending, tmp_path):
    raw = _CHANGES[change](virtual)
    path = tmp_path / f"v{ending}"
    write(path, raw)
    with pytest.raises(UserError, match=rf"v{ending}: its EEG is virtual, by the gaps .* leave it out"):
        opened(path, tmp_path)


def test_its_description_refuses_it_before_it_is_read(make_raw, tmp_path):
    raw = make_raw()
    raw.info["description"] = f"{VIRTUAL} run a, fold b"
    raw.save(tmp_path / "v_raw.fif", verbose="error")
    with pytest.raises(UserError, match=r"v_raw.fif: is a virtual recording predicted by crossmodal, and no recording; leave it out"):
        opened(tmp_path / "v_raw.fif", tmp_path)


@pytest.mark.parametrize(("lowpass_hz", "share"), [(40.0, 0.01), (20.0, 0.02), (10.0, 0.04)])
def test_gaps_hold_little_and_are_as_low_as_the_prediction_reaches(make_raw, lowpass_hz, share):
    raw = brain(make_raw(60.0, 250.0).pick("eeg")).filter(None, lowpass_hz, verbose="error")
    x_ct = raw.get_data()
    y_ct = leave_gaps(x_ct, 250.0, lowpass_hz)
    assert ((x_ct - y_ct) ** 2).sum() < share * (x_ct**2).sum()
    assert has_gaps(y_ct.T, 250.0)
    assert not has_gaps(x_ct.T, 250.0)


@pytest.mark.parametrize("lowpass_hz", [5.0, 9.0, 10.0, 13.0, 22.0, 29.0, 36.0])
def test_the_slope_of_a_filter_is_no_gap(make_raw, lowpass_hz):
    for seed in range(3):
        raw = brain(make_raw(60.0, 250.0).pick("eeg"), seed).filter(None, lowpass_hz, verbose="error")
        assert not has_gaps(raw.get_data().T, 250.0)


def test_noise_is_no_prediction():
    chance = np.random.default_rng(0)
    assert not any(has_gaps(chance.standard_normal((2000, 1 + index % 5)), 100.0) for index in range(60))


@pytest.mark.parametrize("lowpass_hz", [None, 40.0, 15.0])
def test_real_recordings_are_no_predictions(real_data, lowpass_hz):
    names = ("eeg/test_raw.set", "eeg/bv_dig_test.vhdr", *(f"paired_eeg_meg/{name}" for name in PAIRED))
    for name in names:
        # A room without anybody was recorded with shielding.
        shielding = {"allow_maxshield": "yes"} if name.endswith("fif") else {}
        raw = mne.io.read_raw(real_data / name, preload=True, **shielding, verbose="error")
        raw.pick(["meg", "eeg"] if name.endswith("fif") else "eeg").filter(None, lowpass_hz, verbose="error")
        for kind in set(raw.get_channel_types()):
            assert not has_gaps(raw.get_data(picks=kind).T, raw.info["sfreq"])
