from pathlib import Path

import mne
import numpy as np
import pytest
from mne.transforms import apply_trans

from crossmodal.config import UserError
from crossmodal.config.preprocessing import BidsRecordings, FileEntry, FileRecordings, Preprocessing
from crossmodal.datasets.recording import PHYSIOLOGY
from crossmodal.datasets.shard import Shard, write_shard
from crossmodal.storage.uri import join, open_fs
from preprocessing.readers.reading import list_recordings
from preprocessing.readers.stores import file_finder
from preprocessing.recording import preprocess_recording, shard_fingerprint


def _preprocess(recordings, tmp_path, **settings):
    (entry,) = list_recordings(recordings)
    return preprocess_recording(entry, recordings, Preprocessing(**settings), tmp_path)


def _file(path, **settings):
    return FileRecordings(files=(FileEntry(path=str(path), subject="1"),), **settings)


def test_real_recording_becomes_signals_at_the_new_rate(real_data, tmp_path):
    path = real_data / "paired_eeg_meg/sample_neuromag306_first_half_raw.fif"
    recording = _preprocess(_file(path), tmp_path, highpass_hz=1.4)
    eeg, meg = recording.signals["eeg"], recording.signals["meg"]
    assert (recording.sfreq, eeg.data_tc.shape, meg.data_tc.shape) == (100.0, (250, 60), (250, 303))
    assert meg.types == ("mag",) * 101 + ("grad",) * 202
    assert set(eeg.units + meg.units) == {"V", "T", "T/m"}
    np.testing.assert_allclose(eeg.data_tc.mean(axis=1), 0, atol=1e-11)
    assert 1e-6 < eeg.data_tc.std() < 1e-4
    assert 1e-14 < meg.data_tc[:, :101].std() < 1e-11
    assert recording.good.all()


def test_real_sensors_are_placed_in_head_coordinates(real_data, tmp_path):
    path = real_data / "paired_eeg_meg/sample_audvis_trunc_raw_sss.fif"
    meg = _preprocess(_file(path), tmp_path, highpass_hz=None).signals["meg"]
    info = mne.io.read_info(path, verbose="error")
    channel = info["chs"][info["ch_names"].index(meg.names[3])]
    np.testing.assert_allclose(meg.positions_m[3], apply_trans(info["dev_head_t"], channel["loc"][:3]))


def test_real_empty_room_goes_through_and_says_what_it_is(real_data, tmp_path):
    recording = _preprocess(_file(real_data / "paired_eeg_meg/test_move_anon_erm_raw.fif"), tmp_path, highpass_hz=None)
    assert recording.signals["eeg"].data_tc.shape == (100, 60)
    assert np.isnan(recording.signals["meg"].positions_m).all()
    assert any("internal active shielding" in note for note in recording.provenance["notes"])


def test_real_eeg_alone_goes_through_where_meg_is_not_asked_for(real_data, tmp_path):
    recording = _preprocess(_file(real_data / "eeg/test_raw.set"), tmp_path, modalities=("eeg",))
    assert set(recording.signals) == {"eeg"}
    assert set(recording.events.trial_type) == {"rt", "square"}


def test_events_move_with_resampling_and_the_delay_is_added_once(bids, tmp_path):
    root = str(bids("01"))
    recording = _preprocess(BidsRecordings(root=root, stimulus_delay_s=0.0345), tmp_path)
    assert recording.events.onset_sample.tolist() == [104, 253]  # (1.001 s, 2.5 s) + 34.5 ms at 100 Hz
    assert recording.events.trial_type == ("Famous", "Scrambled")
    assert recording.provenance["stimulus_delay_s"] == 0.0345
    again = _preprocess(BidsRecordings(root=root, stimulus_delay_s=0.0345), tmp_path)
    assert again.events.onset_sample.tolist() == [104, 253]


def test_events_outside_the_recording_are_left_out_and_told(bids, tmp_path):
    recording = _preprocess(BidsRecordings(root=str(bids("01", duration_s=8.0)), stimulus_delay_s=6.0), tmp_path)
    assert recording.events.trial_type == ("Famous",)
    assert recording.provenance["notes"] == ["1 events lie outside the recording and are left out"]


def test_sidecars_decide_types_and_files_are_not_touched(bids, tmp_path):
    root = bids("01")
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in root.rglob("*.*")}
    recording = _preprocess(BidsRecordings(root=str(root)), tmp_path)
    assert recording.signals["eeg"].names == ("C3", "C4", "Fp1", "O1", "O2", "P7", "P8")
    assert recording.info["ch_names"][:3] == ["C3", "C4", "Fp1"]
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in root.rglob("*.*")} == before


def test_eyes_and_heart_follow_the_sensors_and_are_no_inputs(make_raw, tmp_path):
    """Filtered, resampled and cut as the sensors are, with what is flat left out, and outside the average reference."""
    raw = make_raw(duration_s=20.0, rename={"Fp1": "VEOG", "Fp2": "ECG", "P8": "HEOG"})
    raw.set_annotations(mne.Annotations([8.0], [0.0], "boundary"))
    raw["VEOG"] = raw.get_data(picks="C3") + 3e-3
    raw["HEOG"] = 0.0
    raw.save(tmp_path / "a_raw.fif", verbose="error")
    recording = _preprocess(_file(tmp_path / "a_raw.fif"), tmp_path, average_reference=False)
    physiology = recording.signals[PHYSIOLOGY]
    assert (physiology.names, physiology.types, physiology.units) == (("VEOG", "ECG"), ("eog", "ecg"), ("V", "V"))
    eeg = recording.signals["eeg"]
    assert eeg.names == ("C3", "C4", "O1", "O2", "P7")
    np.testing.assert_allclose(physiology.data_tc[:, 0], eeg.data_tc[:, 0], atol=1e-9)
    shard = Shard.open(Path(write_shard(recording, tmp_path / "shard").uri))
    assert shard.names(PHYSIOLOGY) == ("VEOG", "ECG")
    np.testing.assert_array_equal(shard.signal(PHYSIOLOGY)["ecg"][:, 0], physiology.data_tc[:, 1])


def test_provenance_names_every_file_with_its_checksum(bids, tmp_path):
    recording = _preprocess(BidsRecordings(root=str(bids("01"))), tmp_path)
    assert [source["uri"].rpartition("_")[2] for source in recording.provenance["source"]] == ["meg.fif", "events.tsv", "channels.tsv"]
    assert all(len(source["sha256"]) == 64 for source in recording.provenance["source"])
    assert list(recording.provenance["steps"])[1:6] == ["channel_types", "voltages", "gradients", "bridging", "bad_channels"]


def test_interpolated_channels_are_told(bids, tmp_path):
    root = bids("01")
    table = next(root.rglob("*channels.tsv"))
    table.write_text("name\ttype\tstatus\nP8\tEEG\tbad\n")
    with pytest.raises(UserError, match=r"run-01_meg.fif: bad channels P8 \(marked bad\)"):
        _preprocess(BidsRecordings(root=str(root)), tmp_path)
    recording = _preprocess(BidsRecordings(root=str(root)), tmp_path, bad_channels="interpolate")
    assert "P8" in recording.signals["eeg"].names
    assert recording.provenance["interpolated"] == ["P8"]
    assert recording.provenance["notes"] == ["interpolated P8"]


def test_seconds_in_which_a_channel_is_flat_are_masked_and_told(make_raw, tmp_path):
    raw = make_raw(duration_s=100.0)
    raw["P8", 8000:8400] = 0  # 2 % of it
    raw.save(tmp_path / "a_raw.fif", verbose="error")
    recording = _preprocess(_file(tmp_path / "a_raw.fif"), tmp_path)
    assert np.flatnonzero(~recording.good).tolist() == list(range(3900, 4300))
    assert recording.provenance["notes"] == ["marked bad where a channel is flat for a while: P8"]
    assert recording.provenance["interpolated"] == []


def test_truncated_recording_is_named(make_raw, tmp_path):
    path = tmp_path / "a_raw.fif"
    make_raw(duration_s=60.0).save(path, verbose="error")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=r"a_raw.fif: cannot be read"):
        _preprocess(_file(path), tmp_path)


def test_splits_on_s3_are_staged_together(s3, make_raw, tmp_path):
    folder = tmp_path / "sub-01/meg"
    folder.mkdir(parents=True)
    make_raw(duration_s=250.0).save(folder / "sub-01_task-x_meg.fif", split_size="2MB", split_naming="bids", verbose="error")
    filesystem, path = open_fs(join(s3, "splits"))
    filesystem.put(f"{tmp_path}/sub-01", f"{path}/sub-01", recursive=True)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    recording = _preprocess(BidsRecordings(root=join(s3, "splits")), scratch)
    assert len(recording.provenance["source"]) == 3
    assert len(recording.good) == 25_000


def test_fingerprint_follows_files_settings_and_nothing_else(bids):
    root = bids("01", "02")
    recordings, settings = BidsRecordings(root=str(root)), Preprocessing()
    names = [shard_fingerprint(entry, recordings, settings, file_finder(recordings)) for entry in list_recordings(recordings)]
    assert len(set(names)) == 2

    def first(recordings=recordings, settings=settings):
        return shard_fingerprint(list_recordings(recordings)[0], recordings, settings, file_finder(recordings))

    assert first(recordings=BidsRecordings(root=str(root), subjects=("01",))) == names[0]
    assert first(recordings=BidsRecordings(root=str(root), stimulus_delay_s=0.1)) != names[0]
    assert first(recordings=BidsRecordings(root=str(root), channel_types={"Fp1": "eog"})) != names[0]
    assert first(settings=Preprocessing(highpass_hz=1.0)) != names[0]
    next(root.glob("sub-01/**/*events.tsv")).write_text("onset\tduration\n1\t0\n")
    assert first() != names[0]
