"""Datasets that MNE-BIDS wrote are read as it would read them: positions, types, bad channels, events."""

import json
from datetime import UTC, datetime

import mne
import mne_bids
import numpy as np
import pytest

from crossmodal.config import UserError
from crossmodal.config.preprocessing import BidsRecordings, Preprocessing
from crossmodal.storage.uri import join, open_fs
from preprocessing.readers.reading import list_recordings, open_recording
from preprocessing.recording import preprocess_recording

_EEG_ALONE = Preprocessing(modalities=("eeg",), average_reference=False, bad_channels="interpolate")


@pytest.fixture
def written(make_raw, tmp_path):
    """Write EEG with an EOG, a bad channel and events, and give its root."""

    def write(form="BrainVision", datatype="eeg", subject="01", session="a", task="rest", acquisition=None, run="01", **options):
        raw = make_raw(**options)
        if datatype == "eeg":
            raw.pick("eeg")
        raw.set_channel_types({"O2": "eog"}, verbose="error")
        raw.info["bads"] = ["P8"]
        raw.info["line_freq"] = 50
        raw.set_meas_date(datetime(2009, 4, 9, tzinfo=UTC))
        raw.set_annotations(mne.Annotations([1.0, 2.5], [0.0, 0.5], ["face", "house"], orig_time=raw.info["meas_date"]))
        path = mne_bids.BIDSPath(
            subject=subject, session=session, task=task, acquisition=acquisition, run=run, datatype=datatype, root=tmp_path / "ds"
        )
        mne_bids.write_raw_bids(raw, path, format=form, allow_preload=True, overwrite=True, verbose="ERROR")
        return path

    return write


def _only(root, datatype="eeg", **settings):
    recordings = BidsRecordings(root=str(root), datatype=datatype, **settings)
    (entry,) = list_recordings(recordings)
    return entry, recordings


@pytest.mark.parametrize(("form", "extension"), [("BrainVision", ".vhdr"), ("EDF", ".edf"), ("EEGLAB", ".set"), ("BDF", ".bdf")])
def test_eeg_of_every_format_is_read_as_mne_bids_reads_it(written, tmp_path, form, extension):
    path = written(form)
    entry, recordings = _only(tmp_path / "ds")
    assert entry.uri.endswith(f"sub-01_ses-a_task-rest_run-01_eeg{extension}")
    opened = open_recording(entry, recordings, tmp_path)
    theirs = mne_bids.read_raw_bids(path.update(extension=extension, suffix="eeg"), verbose="ERROR")
    assert opened.channels.types["O2"] == "eog"
    assert opened.channels.bad == ("P8",)
    np.testing.assert_allclose(opened.events.onset_s, [1.0, 2.5], atol=0.006)
    assert opened.events.trial_type == ("face", "house")
    for name in ("Fp1", "P8"):
        ours, expected = (raw.info["chs"][raw.ch_names.index(name)]["loc"][:3] for raw in (opened.raw, theirs))
        np.testing.assert_allclose(ours, expected, atol=2e-4)
    made = preprocess_recording(entry, recordings, _EEG_ALONE, tmp_path)
    assert made.signals["eeg"].names == ("C3", "C4", "Fp1", "Fp2", "O1", "P7", "P8")
    assert made.provenance["interpolated"] == ["P8"]
    assert np.isfinite(made.signals["eeg"].positions_m).all()


def test_eeg_and_meg_in_one_fif_are_read(written, tmp_path):
    written("FIF", datatype="meg")
    entry, recordings = _only(tmp_path / "ds", datatype="meg")
    made = preprocess_recording(entry, recordings, Preprocessing(bad_channels="interpolate"), tmp_path)
    assert {modality: len(signal.names) for modality, signal in made.signals.items()} == {"eeg": 7, "meg": 5, "physiology": 1}
    assert made.events.trial_type == ("face", "house")


def test_sessions_tasks_and_acquisitions_are_told_apart(written, tmp_path):
    written(session="a")
    written(session="b")
    written(session="b", task="nback", acquisition="wet")
    recordings = BidsRecordings(root=str(tmp_path / "ds"), datatype="eeg")
    entries = list_recordings(recordings)
    assert [entry.run for entry in entries] == ["ses-a_task-rest_01", "ses-b_task-nback_acq-wet_01", "ses-b_task-rest_01"]
    assert [entry.session for entry in entries] == ["a", "b", "b"]
    assert all(entry.channels and entry.electrodes and entry.coordsystem and len(entry.files) == 3 for entry in entries)
    assert [entry.run for entry in list_recordings(recordings.model_copy(update={"task": "nback"}))] == ["01"]


def test_sidecars_above_apply_to_all_below(written, tmp_path):
    path = written()
    beside = path.directory
    (table,) = beside.glob("*_channels.tsv")
    table.rename(tmp_path / "ds/task-rest_channels.tsv")
    (events,) = beside.glob("*_events.tsv")
    events.rename(tmp_path / "ds/sub-01/sub-01_task-rest_events.tsv")
    entry, recordings = _only(tmp_path / "ds")
    opened = open_recording(entry, recordings, tmp_path)
    assert opened.channels.bad == ("P8",)
    assert opened.events.trial_type == ("face", "house")


def test_positions_in_other_units_and_frames_lead_to_the_head(written, tmp_path):
    path = written()
    entry, recordings = _only(tmp_path / "ds")
    before = open_recording(entry, recordings, tmp_path).raw.get_montage().get_positions()
    (table,), (system,) = path.directory.glob("*electrodes.tsv"), path.directory.glob("*coordsystem.json")
    # The same places in mm, turned a quarter about the vertical axis; the landmarks turn with them.
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    rows = [f"{name}\t" + "\t".join(f"{value:.6f}" for value in 1000 * turn @ place) for name, place in before["ch_pos"].items()]
    table.write_text("\n".join(["name\tx\ty\tz", *rows, "REF\tn/a\tn/a\tn/a"]))
    landmarks = {key: (1000 * turn @ before[name]).tolist() for key, name in (("NAS", "nasion"), ("LPA", "lpa"), ("RPA", "rpa"))}
    described = {"EEGCoordinateSystem": "Other", "EEGCoordinateUnits": "mm", "EEGCoordinateSystemDescription": "turned"}
    system.write_text(json.dumps(described | {"AnatomicalLandmarkCoordinates": landmarks, "AnatomicalLandmarkCoordinateUnits": "mm"}))
    opened = open_recording(*_only(tmp_path / "ds"), tmp_path)
    for name, place in before["ch_pos"].items():
        np.testing.assert_allclose(opened.raw.get_montage().get_positions()["ch_pos"][name], place, atol=1e-4)
    assert opened.notes == ()
    system.write_text(json.dumps(described))
    assert "electrodes lie in 'Other' coordinates without landmarks" in open_recording(*_only(tmp_path / "ds"), tmp_path).notes[0]


@pytest.mark.parametrize(
    ("ending", "text", "sentence"),
    [
        ("electrodes.tsv", "name\tx\ty\tz\nFp1\t0\there\t0\n", "electrodes.tsv: line 2 has a position of 0, here, 0, not three numbers"),
        ("coordsystem.json", '{"EEGCoordinateSystem": "CapTrak", "EEGCoordinateUnits": "inch"}', "has the unit 'inch', not m, cm, mm"),
        ("coordsystem.json", None, "coordsystem.json: is missing, and says in which coordinates the positions of electrodes.tsv are"),
        ("eeg.eeg", None, "eeg.vhdr: its data file is missing"),
    ],
)
def test_broken_and_missing_sidecars_are_named(written, tmp_path, ending, text, sentence):
    path = written()
    (file,) = path.directory.glob(f"*{ending}")
    file.unlink() if text is None else file.write_text(text)
    with pytest.raises(UserError, match=sentence):
        open_recording(*_only(tmp_path / "ds"), tmp_path)


def test_channels_that_are_no_brain_are_no_eeg_whatever_the_file_calls_them(written, tmp_path):
    path = written("EDF")
    (table,) = path.directory.glob("*_channels.tsv")
    table.write_text("name\ttype\tunits\nFp1\tRESP\tV\nFp2\tEEG\tV\nC3\tn/a\tV\n")
    made = preprocess_recording(*_only(tmp_path / "ds"), _EEG_ALONE, tmp_path)
    assert made.signals["eeg"].names == ("C3", "C4", "Fp2", "O1", "O2", "P7", "P8")


def test_from_s3_with_every_sidecar(written, s3, tmp_path):
    written()
    filesystem, path = open_fs(join(s3, "anybids"))
    filesystem.put(f"{tmp_path}/ds/", path, recursive=True)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    made = preprocess_recording(*_only(join(s3, "anybids")), _EEG_ALONE, scratch)
    assert np.isfinite(made.signals["eeg"].positions_m).all()
    assert {file["uri"].rpartition("_")[2] for file in made.provenance["source"]} >= {"eeg.vhdr", "electrodes.tsv", "coordsystem.json"}
