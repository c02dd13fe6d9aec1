"""Which sidecars apply to a recording, and that finding them takes as long among many recordings as among few."""

import cProfile
import json
import pstats
from pathlib import Path

import pytest

from crossmodal.config import Experiment
from crossmodal.config.preprocessing import BidsRecordings
from preprocessing.plan import plan_dataset
from preprocessing.readers.reading import list_recordings


def _write(root, *paths):
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")


def _calls(root, scratch):
    """Count how many functions a whole plan calls, in the thread that makes it."""
    experiment = Experiment(name="x", store=str(scratch), recordings=BidsRecordings(root=str(root)))
    profile = cProfile.Profile()
    with profile:
        n_recordings = len(plan_dataset(experiment).entries)
    return pstats.Stats(profile).total_calls, n_recordings


def _write_subjects(root, n_subjects):
    for number in range(n_subjects):
        subject, day = f"sub-{number:03}", f"202001{number % 28 + 1:02}"
        for run in range(4):
            stem = f"{subject}/meg/{subject}_task-rest_run-{run}"
            _write(root, *(f"{stem}_{suffix}" for suffix in ("meg.fif", "events.tsv", "channels.tsv", "meg.json")))
        (root / f"{subject}/{subject}_scans.tsv").write_text(f"filename\tacq_time\nmeg/{subject}_task-rest_run-0_meg.fif\t2020-01-01\n")
        _write(root, f"sub-emptyroom/ses-{day}/meg/sub-emptyroom_ses-{day}_run-{number}_task-noise_meg.fif")


def test_a_recording_of_many_takes_no_more_than_one_of_few(tmp_path):
    _write_subjects(tmp_path / "few", 10)
    _write_subjects(tmp_path / "many", 40)
    few, n_few = _calls(tmp_path / "few", tmp_path / "store")
    many, n_many = _calls(tmp_path / "many", tmp_path / "store")
    assert (n_few, n_many) == (40, 160)
    assert many / n_many < 1.1 * few / n_few


@pytest.mark.parametrize(
    ("sidecars", "taken"),
    [
        (("task-x_channels.tsv", "channels.tsv"), "task-x_channels.tsv"),
        (("task-x_run-1_channels.tsv", "sub-01/sub-01_channels.tsv"), "sub-01/sub-01_channels.tsv"),
        (("sub-01/ses-a/sub-01_ses-a_channels.tsv", "sub-01/sub-01_task-x_channels.tsv"), "sub-01/ses-a/sub-01_ses-a_channels.tsv"),
        (("sub-01/sub-01_ses-b_channels.tsv", "sub-02/sub-02_channels.tsv", "sub-01_task-x_channels.tsv"), "sub-01_task-x_channels.tsv"),
        (("sub-01/ses-a/eeg/sub-01_ses-a_channels.tsv", "sub-01/ses-a/meg/sub-01_ses-a_run-2_channels.tsv"), None),
    ],
    ids=["more entities", "nearer", "nearer still", "own subject", "none"],
)
def test_of_sidecars_the_nearest_level_applies_and_of_that_the_most_specific(tmp_path, sidecars, taken):
    _write(tmp_path, "sub-01/ses-a/meg/sub-01_ses-a_task-x_run-1_meg.fif", *sidecars)
    (entry,) = list_recordings(BidsRecordings(root=str(tmp_path)))
    assert (entry.channels and entry.channels.uri) == (taken and str(tmp_path / taken))


def test_coordinates_are_of_the_space_of_the_positions(tmp_path):
    spaces = [f"sub-01/eeg/sub-01_space-{space}" for space in ("CapTrak", "CTF")]
    _write(tmp_path, "sub-01/eeg/sub-01_task-x_eeg.edf", f"{spaces[1]}_electrodes.tsv", *(f"{space}_coordsystem.json" for space in spaces))
    (entry,) = list_recordings(BidsRecordings(root=str(tmp_path), datatype="eeg"))
    assert entry.coordsystem.uri == str(tmp_path / f"{spaces[1]}_coordsystem.json")


def test_files_of_the_system_are_those_of_the_session(tmp_path):
    for session in ("a", "b"):
        folder = f"sub-01/ses-{session}/meg/sub-01_ses-{session}"
        _write(tmp_path, f"{folder}_task-x_meg.fif", f"{folder}_acq-calibration_meg.dat", f"{folder}_acq-crosstalk_meg.fif")
    for entry in list_recordings(BidsRecordings(root=str(tmp_path))):
        assert Path(entry.calibration.uri).parent == Path(entry.crosstalk.uri).parent == Path(entry.uri).parent


def test_of_rooms_equally_near_the_earlier_is_taken(tmp_path):
    rooms = [f"sub-emptyroom/ses-{day}/meg/sub-emptyroom_ses-{day}_task-noise_meg.fif" for day in ("20200101", "20200103", "20200109")]
    _write(tmp_path, *rooms)
    for subject, day in (("01", "2020-01-02"), ("02", "2019-01-01"), ("03", "2021-01-01"), ("04", "2020-01-08")):
        _write(tmp_path, f"sub-{subject}/meg/sub-{subject}_task-x_meg.fif")
        (tmp_path / f"sub-{subject}/sub-{subject}_scans.tsv").write_text(f"filename\tacq_time\nmeg/sub-{subject}_task-x_meg.fif\t{day}\n")
    (tmp_path / "sub-05/meg").mkdir(parents=True)
    _write(tmp_path, "sub-05/meg/sub-05_task-x_meg.fif")
    named = f"meg/{Path(rooms[1]).name}"
    (tmp_path / "sub-05/meg/sub-05_task-x_meg.json").write_text(json.dumps({"AssociatedEmptyRoom": named}))
    found = [entry.empty_room.uri for entry in list_recordings(BidsRecordings(root=str(tmp_path)))]
    assert found == [str(tmp_path / rooms[number]) for number in (0, 0, 2, 2, 1)]
