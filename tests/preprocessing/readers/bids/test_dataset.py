import os
import shutil

import pytest

from crossmodal.config import UserError
from crossmodal.config.preprocessing import BidsRecordings, FileEntry, FileRecordings
from crossmodal.storage.uri import join, open_fs
from preprocessing.readers.reading import list_recordings


def _touch(root, *paths):
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")


def test_real_dataset_is_listed_with_the_sidecars_that_apply(real_data):
    root = real_data / "ds000117_bids"
    entries = list_recordings(BidsRecordings(root=str(root), task="facerecognition"))
    assert [entry.label for entry in entries] == [f"sub-0{subject} run 0{run}" for subject in (1, 2) for run in range(1, 7)]
    first = entries[0]
    assert first.uri == str(root / "sub-01/ses-meg/meg/sub-01_ses-meg_task-facerecognition_run-01_meg.fif")
    # beh/ holds an events.tsv, too, whose entities fit every run: it lies beside the recordings, not above them.
    assert first.events.name == "sub-01_ses-meg_task-facerecognition_run-01_events.tsv"
    assert first.channels.uri == str(root / "sub-01/ses-meg/sub-01_ses-meg_task-facerecognition_channels.tsv")


def test_real_derivatives_take_the_sidecars_of_the_raw_dataset(real_data):
    root = real_data / "ds000117_bids"
    entries = list_recordings(BidsRecordings(root=str(root), processing="sss", subjects=("02",)))
    assert len(entries) == 6
    assert entries[5].uri.startswith(str(root / "derivatives/meg_derivatives/sub-02"))
    assert entries[5].events.uri == str(root / "sub-02/ses-meg/meg/sub-02_ses-meg_task-facerecognition_run-06_events.tsv")


def test_empty_room_and_calibration_are_no_recordings_unless_asked_for(tmp_path):
    _touch(tmp_path, *(f"sub-01/meg/sub-01_{middle}_meg.fif" for middle in ("task-a", "acq-crosstalk", "task-a_proc-sss")))
    _touch(tmp_path, "sub-emptyroom/ses-20090409/meg/sub-emptyroom_ses-20090409_task-noise_meg.fif")
    assert [entry.label for entry in list_recordings(BidsRecordings(root=str(tmp_path)))] == ["sub-01 run 01"]
    empty = list_recordings(BidsRecordings(root=str(tmp_path), subjects=("emptyroom",)))
    assert [entry.label for entry in empty] == ["sub-emptyroom run 01"]


def test_links_are_what_they_lead_to(tmp_path):
    """As datalad keeps datasets: files, and here a subject, are symbolic links into another folder."""
    kept = tmp_path / "kept"
    _touch(kept, "recording", "sidecar", "sub-02/meg/sub-02_task-a_meg.fif")
    (tmp_path / "bids/sub-01/meg").mkdir(parents=True)
    (tmp_path / "bids/sub-02").symlink_to(kept / "sub-02")
    (tmp_path / "bids/sub-01/meg/sub-01_task-a_meg.fif").symlink_to(kept / "recording")
    (tmp_path / "bids/task-a_events.tsv").symlink_to(kept / "sidecar")
    recordings = BidsRecordings(root=str(tmp_path / "bids"))
    before, other = list_recordings(recordings)
    assert (before.label, other.label) == ("sub-01 run 01", "sub-02 run 01")
    assert before.events.name == "task-a_events.tsv"
    assert before.files[0].uri == str(tmp_path / "bids/sub-01/meg/sub-01_task-a_meg.fif")
    named = FileRecordings(files=(FileEntry(path=before.uri, subject="01"),))
    assert list_recordings(named)[0].files == before.files
    assert before.size_bytes == 1
    # Of the same size: that another file lies there now, only its time tells.
    os.utime(kept / "recording", (1, 1))
    assert list_recordings(recordings)[0].files != before.files


def test_splits_are_one_recording_in_order(tmp_path):
    _touch(tmp_path, *(f"sub-01/meg/sub-01_task-a_run-01_split-0{split}_meg.fif" for split in (2, 1, 3)))
    (entry,) = list_recordings(BidsRecordings(root=str(tmp_path)))
    assert [file.name[-12:-8] for file in entry.files] == ["t-01", "t-02", "t-03"]


def test_runs_are_told_apart_by_session_and_task_where_they_vary(tmp_path):
    _touch(tmp_path, "sub-01/ses-a/meg/sub-01_ses-a_task-x_run-1_meg.fif", "sub-01/ses-b/meg/sub-01_ses-b_task-x_run-1_meg.fif")
    _touch(tmp_path, "sub-02/ses-a/meg/sub-02_ses-a_task-x_run-1_meg.fif", "sub-02/ses-a/meg/sub-02_ses-a_task-y_meg.fif")
    labels = [(entry.subject, entry.run) for entry in list_recordings(BidsRecordings(root=str(tmp_path)))]
    assert sorted(labels) == [("01", "ses-a_1"), ("01", "ses-b_1"), ("02", "task-x_1"), ("02", "task-y_01")]


def test_most_specific_sidecar_wins(tmp_path):
    _touch(tmp_path, "task-x_events.tsv", "sub-01/meg/sub-01_task-x_run-1_meg.fif", "sub-01/meg/sub-01_task-x_run-1_events.tsv")
    _touch(tmp_path, "sub-01/meg/sub-01_task-x_run-2_meg.fif", "sub-01/meg/sub-01_task-y_channels.tsv")
    first, second = list_recordings(BidsRecordings(root=str(tmp_path)))
    assert first.events.name == "sub-01_task-x_run-1_events.tsv"
    assert second.events.name == "task-x_events.tsv"
    assert first.channels is None


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"root": "absent"}, "absent: no such dataset; set recordings.root"),
        ({"subjects": ("01", "09")}, "no recording of subject 09"),
        ({"task": "other"}, "no recording found .*_task-other"),
        ({"processing": "sss"}, "no recording found .*_proc-sss_meg"),
    ],
)
def test_what_is_not_there_is_named(tmp_path, settings, sentence):
    _touch(tmp_path, "sub-01/meg/sub-01_task-x_meg.fif")
    with pytest.raises(UserError, match=sentence):
        list_recordings(BidsRecordings(**({"root": str(tmp_path)} | settings)))


def test_s3_lists_the_same_and_names_content_by_etag(s3, real_data, tmp_path):
    shutil.copytree(real_data / "ds000117_bids/sub-01", tmp_path / "ds/sub-01")
    uri = join(s3, "listing")
    filesystem, path = open_fs(uri)
    filesystem.put(str(tmp_path / "ds") + "/", path, recursive=True)
    local = list_recordings(BidsRecordings(root=str(tmp_path / "ds")))
    remote = list_recordings(BidsRecordings(root=uri))
    assert [entry.label for entry in remote] == [entry.label for entry in local]
    assert remote[0].uri == join(uri, "sub-01/ses-meg/meg/sub-01_ses-meg_task-facerecognition_run-01_meg.fif")
    assert remote[0].events.size_bytes == local[0].events.size_bytes
    assert remote[0].events.version not in {"", local[0].events.version, remote[1].events.version}
    with pytest.raises(UserError, match="nothing-here: no such dataset"):
        list_recordings(BidsRecordings(root=join(s3, "nothing-here")))


def test_real_recordings_name_their_empty_room(real_data, tmp_path):
    root = tmp_path / "ds"
    shutil.copytree(real_data / "ds000117_bids", root)
    rooms = [f"sub-emptyroom/ses-{day}/meg/sub-emptyroom_ses-{day}_task-noise_meg.fif" for day in ("20090409", "20090511", "20091208")]
    _touch(root, *rooms)
    of_subject = {entry.subject: entry.empty_room.uri for entry in list_recordings(BidsRecordings(root=str(root)))}
    assert of_subject["01"] == str(root / rooms[0])
    derived = list_recordings(BidsRecordings(root=str(root), processing="sss", subjects=("01",)))
    assert {entry.empty_room.uri for entry in derived} == {str(root / rooms[0])}


def test_an_empty_room_that_nobody_names_is_that_of_the_nearest_day(tmp_path):
    rooms = [f"sub-emptyroom/ses-{day}/meg/sub-emptyroom_ses-{day}_task-noise_meg.fif" for day in ("20200101", "20200310", "20210101")]
    _touch(tmp_path, *rooms, "sub-01/meg/sub-01_task-x_meg.fif", "sub-02/meg/sub-02_task-x_meg.fif", "sub-03/meg/sub-03_task-x_meg.fif")
    for subject, day in (("01", "2020-03-01T10:00:00"), ("02", "n/a")):
        (tmp_path / f"sub-{subject}/sub-{subject}_scans.tsv").write_text(f"filename\tacq_time\nmeg/sub-{subject}_task-x_meg.fif\t{day}\n")
    (tmp_path / "sub-03/meg/sub-03_task-x_meg.json").write_text(f'{{"AssociatedEmptyRoom": ["bids::{rooms[2]}"]}}')
    (tmp_path / "sub-01/meg/sub-01_task-x_meg.json").write_text("{broken")
    entries = list_recordings(BidsRecordings(root=str(tmp_path)))
    assert [entry.empty_room and entry.empty_room.uri for entry in entries] == [str(tmp_path / rooms[1]), None, str(tmp_path / rooms[2])]
    assert not any(entry.empty_room for entry in list_recordings(BidsRecordings(root=str(tmp_path), subjects=("emptyroom",))))


def test_a_room_whose_sidecars_were_not_fetched_is_done_without(tmp_path):
    """As datalad leaves files: links to nothing."""
    rooms = [f"sub-emptyroom/ses-{day}/meg/sub-emptyroom_ses-{day}_task-noise_meg.fif" for day in ("20200101", "20210101")]
    _touch(tmp_path, rooms[0], *(f"sub-{subject}/meg/sub-{subject}_task-x_meg.fif" for subject in ("01", "02", "03")))
    unfetched = [rooms[1], "sub-01/meg/sub-01_task-x_meg.json", "sub-02/sub-02_scans.tsv"]
    for path in unfetched:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).symlink_to(tmp_path / "nowhere")
    (tmp_path / "sub-01/sub-01_scans.tsv").write_text("filename\tacq_time\nmeg/sub-01_task-x_meg.fif\t2020-02-01\n")
    (tmp_path / "sub-03/meg/sub-03_task-x_meg.json").write_bytes(b"\xff")
    entries = list_recordings(BidsRecordings(root=str(tmp_path)))
    assert [entry.empty_room and entry.empty_room.uri for entry in entries] == [str(tmp_path / rooms[0]), None, None]


@pytest.mark.parametrize(
    ("name", "opened_by"),
    [("meg.con", ""), ("meg.ds", "/sub-emptyroom_ses-20200301_task-noise_meg.res4"), ("meg", "/c,rfDC"), ("meg.pdf", "/c,rfDC")],
)
def test_empty_rooms_are_found_in_every_format_that_is_read(tmp_path, name, opened_by):
    near, far = (f"sub-emptyroom/ses-{day}/meg/sub-emptyroom_ses-{day}_task-noise_{name}" for day in ("20200301", "20210101"))
    own = opened_by.replace("emptyroom_ses-20200301_task-noise", "01_task-x"), opened_by.replace("emptyroom_ses-20200301", "02")
    recordings = [f"sub-01/meg/sub-01_task-x_{name}{own[0]}", f"sub-02/meg/sub-02_task-noise_{name}{own[1]}"]
    _touch(tmp_path, near + opened_by, far + opened_by.replace("20200301", "20210101"), *recordings)
    (tmp_path / "sub-01/sub-01_scans.tsv").write_text(f"filename\tacq_time\nmeg/sub-01_task-x_{name}\t2020-03-02T10:00:00\n")
    (tmp_path / "sub-02/meg/sub-02_task-noise_meg.json").write_text(f'{{"AssociatedEmptyRoom": "/{far}"}}')
    first, second = list_recordings(BidsRecordings(root=str(tmp_path)))
    assert first.empty_room.uri == str(tmp_path / near) + opened_by
    assert second.empty_room.uri == str(tmp_path / far) + opened_by.replace("20200301", "20210101")
