"""Sidecars that recordings lack: told where others of the task have theirs, wherever those lie, and noted where none has."""

import shutil

import pytest

from crossmodal.config import UserError
from crossmodal.config.eeg_fmri import BidsFmriRecordings
from crossmodal.config.preprocessing import BidsRecordings, Preprocessing
from crossmodal.config.recordings import Triggers
from preprocessing.readers.reading import list_recordings, open_recording
from preprocessing.readers.stores import file_finder
from preprocessing.recording import shard_key
from tests.preprocessing.readers import layouts


def touch(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x")


def flaws(root, **settings):
    return {entry.subject: entry.flaw for entry in list_recordings(BidsRecordings(root=str(root), **settings)) if entry.flaw}


def notes(root, **settings):
    return {entry.subject: entry.notes for entry in list_recordings(BidsRecordings(root=str(root), **settings))}


RECORDINGS = [f"sub-{subject}/meg/sub-{subject}_task-x_meg.fif" for subject in ("01", "02", "03")]


@pytest.mark.parametrize("name", ["events", "channels"])
def test_whoever_lacks_what_others_of_the_task_have_is_told_where_it_should_be(tmp_path, name):
    others = [f"sub-{subject}/meg/sub-{subject}_task-x_{name}.tsv" for subject in ("01", "03")]
    touch(tmp_path, *RECORDINGS, *others)
    assert flaws(tmp_path) == {
        "02": f"{tmp_path}/sub-02/meg/sub-02_task-x_{name}.tsv: is missing, and other recordings of task-x have theirs"
        f" (sub-01_task-x_{name}.tsv); fetch or add it, or leave the recording out"
    }
    entry = list_recordings(BidsRecordings(root=str(tmp_path)))[1]
    with pytest.raises(UserError, match=f"sub-02_task-x_{name}.tsv: is missing"):
        open_recording(entry, BidsRecordings(root=str(tmp_path)), tmp_path)


def test_sidecars_above_are_not_missing(tmp_path):
    touch(tmp_path, *RECORDINGS, "sub-01/meg/sub-01_task-x_events.tsv", "task-x_events.tsv", "sub-02/sub-02_task-x_channels.tsv")
    assert list(flaws(tmp_path)) == ["01", "03"]
    touch(tmp_path, "channels.tsv")
    assert flaws(tmp_path) == {}
    assert set(notes(tmp_path).values()) == {()}


def test_derivatives_and_folders_lack_only_what_the_dataset_lacks(tmp_path):
    touch(tmp_path, "sub-01/meg/sub-01_task-x_events.tsv", "sub-02/meg/sub-02_task-x_meg.ds/sub-02_task-x_meg.res4", RECORDINGS[0])
    touch(tmp_path, *(f"derivatives/d/sub-{subject}/meg/sub-{subject}_task-x_proc-sss_meg.fif" for subject in ("01", "02")))
    assert flaws(tmp_path)["02"].startswith(f"{tmp_path}/sub-02/meg/sub-02_task-x_events.tsv: is missing")
    assert list(flaws(tmp_path, processing="sss")) == ["02"]


def test_other_tasks_have_their_own_sidecars(tmp_path):
    touch(tmp_path, *RECORDINGS, "sub-01/meg/sub-01_task-y_meg.fif", "sub-01/meg/sub-01_task-y_events.tsv")
    assert flaws(tmp_path) == {}


def test_what_no_recording_of_the_task_has_is_noted_and_changes_no_shard(bids, tmp_path):
    root = bids("01", "02")
    recordings = BidsRecordings(root=str(root))
    for table in (*root.rglob("*events.tsv"), *root.rglob("*channels.tsv")):
        table.unlink()
    entry = list_recordings(recordings)[0]
    assert not entry.flaw
    assert open_recording(entry, recordings, tmp_path).notes == (
        "has no events.tsv: its events are what the recording itself says",
        "has no channels.tsv: types of channels and bad ones are what the recording itself says",
    )
    assert not {"flaw", "notes"} & set(shard_key(entry, recordings, Preprocessing(), file_finder(recordings))["entry"])


def test_events_from_a_trigger_line_need_no_table(tmp_path):
    touch(tmp_path, *RECORDINGS, "sub-01/meg/sub-01_task-x_events.tsv")
    triggers = Triggers(codes={"face": (1,)})
    assert flaws(tmp_path, triggers=triggers) == {}
    assert len(notes(tmp_path, triggers=triggers)["02"]) == 1


def test_eeg_recorded_with_bold_lacks_sidecars_likewise(tmp_path):
    layouts.cn_epfl(tmp_path, "01")
    shutil.copytree(tmp_path / "sub-01", tmp_path / "sub-02")
    for file in list((tmp_path / "sub-02").rglob("sub-01*")):
        file.rename(file.with_name(file.name.replace("sub-01", "sub-02")))
    recordings = BidsFmriRecordings(root=str(tmp_path))
    assert [len(entry.notes) for entry in list_recordings(recordings)] == [2, 2]
    touch(tmp_path, "sub-01/ses-001/eeg/sub-01_ses-001_task-main_run-001_channels.tsv")
    whole, lacking = list_recordings(recordings)
    assert not whole.flaw
    assert lacking.flaw.startswith(f"{tmp_path}/sub-02/ses-001/eeg/sub-02_ses-001_task-main_run-001_channels.tsv: is missing")
    # A table of the image is on the scanner's clock.
    touch(tmp_path, "sub-01/ses-001/func/sub-01_ses-001_task-main_run-001_events.tsv")
    assert [len(entry.notes) for entry in list_recordings(recordings)] == [1, 1]


@pytest.mark.parametrize("name", ["events", "channels"])
def test_a_sidecar_whose_content_was_not_fetched_is_named(bids, tmp_path, name):
    root = bids("01")
    recordings = BidsRecordings(root=str(root))
    table = next(root.rglob(f"*{name}.tsv"))
    for spoil in (lambda: table.write_text(""), lambda: (table.unlink(), table.symlink_to(root / "nowhere"))):
        spoil()
        (entry,) = list_recordings(recordings)
        with pytest.raises(UserError, match=f"{name}.tsv: is empty or a link to nothing; fetch its content"):
            open_recording(entry, recordings, tmp_path)
