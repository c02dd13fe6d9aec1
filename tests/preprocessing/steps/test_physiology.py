"""Respiration is kept beside volumes, slower than the sensors' high-pass and in whatever unit a belt has; ECGs tell heartbeats."""

import mne
import numpy as np
import pytest

from crossmodal.config.eeg_fmri import BidsFmriRecordings
from crossmodal.config.preprocessing import BidsRecordings, Preprocessing
from crossmodal.config.simulation import EegFmriSimulation
from crossmodal.datasets.recording import PHYSIOLOGY
from crossmodal.physics.physiology import find_heartbeats
from preprocessing.readers.reading import list_recordings
from preprocessing.recording import preprocess_recording
from preprocessing.simulated.cohort import simulate_cohort
from preprocessing.simulated.eeg_fmri import draw_fmri_subject, simulate_fmri_run

SETTINGS = EegFmriSimulation(
    root="unused", subjects=1, n_volumes=20, sfreq=100, n_dipoles=60, regions=2, voxel_mm=16, lead_in_s=(5, 5), cohort="null"
)


def preprocess(recordings, modalities, scratch):
    (entry,) = list_recordings(recordings)
    return preprocess_recording(entry, recordings, Preprocessing(modalities=modalities, sfreq=50, lowpass_hz=20), scratch)


@pytest.mark.parametrize("unit", ["µV", "AU", "%"])
def test_respiration_is_kept_as_slow_as_it_is(tmp_path, unit):
    root = tmp_path / "cohort"
    simulate_cohort(SETTINGS.model_copy(update={"root": str(root)}), lambda label: None)
    header = next(root.rglob("*.vhdr"))
    header.write_text(header.read_text(encoding="utf-8").replace("Resp,,0.1,µV", f"Resp,,0.1,{unit}"), encoding="utf-8")
    table = next(root.rglob("*_channels.tsv"))
    table.write_text(table.read_text(encoding="utf-8").replace("RESP\tµV", f"RESP\t{unit}"), encoding="utf-8")
    recording = preprocess(BidsFmriRecordings(root=str(root)), ("eeg", "bold"), tmp_path)
    physiology = recording.signals[PHYSIOLOGY]
    assert (physiology.names, physiology.types, physiology.units) == (("ECG", "Resp"), ("ecg", "resp"), ("V", "arbitrary"))
    breath = simulate_fmri_run(draw_fmri_subject(SETTINGS, "01"), SETTINGS, 1).respiration[::2]
    kept = physiology.data_tc[:, 1] * (1.0 if unit == "µV" else 1e-6)
    np.testing.assert_allclose(kept[100:-100], breath[100:-100], atol=0.03 * breath.std())
    assert "Resp" not in recording.signals["eeg"].names
    # Without volumes nothing follows it.
    alone = preprocess(BidsRecordings(root=str(root), datatype="eeg"), ("eeg",), tmp_path)
    assert alone.signals[PHYSIOLOGY].types == ("ecg",)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_real_heartbeat_is_found_each_time_it_comes(real_data, sign):
    """The recording is of a second with one beat in it, whose R wave points down; here it comes again and again at uneven intervals."""
    raw = mne.io.read_raw_brainvision(real_data / "eeg/bv_dig_test.vhdr", preload=True, verbose="error").resample(250, verbose="error")
    second_t = raw.get_data(picks=["ECG"])[0]
    r_wave = np.abs(second_t - np.median(second_t)).argmax()
    beat_t = (second_t - np.median(second_t))[r_wave - 60 : r_wave + 100] * np.hanning(160)
    rng = np.random.default_rng(0)
    beats_s = 1 + np.cumsum(rng.normal(0.9, 0.1, 60))
    starts = np.round(beats_s * 250).astype(int) - 60
    ecg_t = 2e-5 * rng.standard_normal(starts[-1] + 500)
    for start in starts:
        ecg_t[start : start + 160] += beat_t
    np.testing.assert_allclose(find_heartbeats(sign * ecg_t, 250.0), beats_s, atol=0.01)
