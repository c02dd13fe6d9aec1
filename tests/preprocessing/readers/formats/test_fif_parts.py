"""Recordings in several FIF files: all parts are read, or one is named that is missing or does not fit."""

from pathlib import Path

import mne
import numpy as np
import pytest
from mne.io.constants import FIFF

from crossmodal.config import UserError
from crossmodal.config.preprocessing import BidsRecordings, FileEntry, FileRecordings
from crossmodal.storage.uri import join, open_fs
from preprocessing.readers.formats.fif import TAG
from preprocessing.readers.reading import list_recordings, open_recording

_JOINT_S = 5.0


@pytest.fixture
def raw(make_raw):
    """Ten seconds from sample 700 on, with notes and a trigger at, across and beside the fifth second."""
    raw = make_raw()
    raw = mne.io.RawArray(raw.get_data(), raw.info, first_samp=700, verbose="error")
    raw._data[-1], raw._data[-1, 995:1010] = 0, 7
    notes = [(1.0, 0.0, "before"), (4.5, 1.0, "across"), (_JOINT_S, 0.0, "at"), (8.0, 0.5, "after")]
    onsets, durations, texts = zip(*notes, strict=True)
    return raw.set_annotations(mne.Annotations(onsets, durations, texts))


def _save(raw, *paths):
    """Write a recording in equal parts that do not name each other."""
    length = len(raw.times) // len(paths)
    for number, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = raw.copy().crop(number * length / raw.info["sfreq"], (number + 1) * length / raw.info["sfreq"], include_tmax=False)
        part.save(path, overwrite=True, verbose="error")


def _plain(path):
    return FileRecordings(files=(FileEntry(path=str(path), subject="1"),))


def _open(recordings, scratch):
    (entry,) = list_recordings(recordings)
    opened = open_recording(entry, recordings, scratch)
    assert [Path(file["uri"]).name for file in opened.source if file["uri"].endswith((".fif", ".fif.gz"))] == [
        Path(str(file)).name for file in opened.raw.filenames
    ]
    return opened.raw


def _is_whole(found, raw):
    np.testing.assert_allclose(found.get_data(), raw.get_data(), rtol=1e-6)
    assert found.first_samp == raw.first_samp
    onsets_s = found.annotations.onset - found.first_time
    np.testing.assert_allclose(onsets_s, [1.0, 4.5, _JOINT_S, 8.0], atol=1e-5)
    np.testing.assert_allclose(found.annotations.duration, [0.0, 1.0, 0.0, 0.5], atol=1e-5)
    assert list(found.annotations.description) == ["before", "across", "at", "after"]


@pytest.mark.parametrize(
    "names",
    [
        ("a_raw.fif", "a_raw-1.fif"),
        ("a.fif", "a-1.fif", "a-2.fif", "a-3.fif"),
        ("a_raw.fif.gz", "a_raw-1.fif.gz"),
        ("a_split-01_meg.fif", "a_split-02_meg.fif"),
    ],
)
@pytest.mark.parametrize("dated", [True, False])
def test_parts_that_do_not_name_each_other_are_put_together(raw, tmp_path, names, dated):
    raw.set_meas_date(1_300_000_000 if dated else None)
    _save(raw, *(tmp_path / name for name in names))
    _is_whole(_open(_plain(tmp_path / names[0]), tmp_path), raw)


@pytest.mark.parametrize("names", [("split-01_meg.fif", "split-02_meg.fif"), ("meg.fif", "meg-1.fif")])
def test_parts_in_bids_are_put_together_also_on_s3(raw, tmp_path, s3, names):
    raw.set_meas_date(None)
    _save(raw, *(tmp_path / f"ds/sub-01/meg/sub-01_task-x_{name}" for name in names))
    _is_whole(_open(BidsRecordings(root=str(tmp_path / "ds")), tmp_path), raw)
    root = join(s3, f"parts-{names[0]}")
    filesystem, path = open_fs(root)
    filesystem.put(f"{tmp_path}/ds/", path, recursive=True)
    _is_whole(_open(BidsRecordings(root=root), tmp_path), raw)


def test_ten_parts_are_in_the_order_of_their_numbers(raw, tmp_path):
    raw.set_annotations(None)
    _save(raw, *(tmp_path / f"sub-01/meg/sub-01_task-x_split-{number}_meg.fif" for number in range(1, 11)))
    found = _open(BidsRecordings(root=str(tmp_path)), tmp_path)
    np.testing.assert_allclose(found.get_data(), raw.get_data(), rtol=1e-6)


def _without_names(path):
    """Take the names of the next and previous part out of a file, so that their numbers are left, as Elekta writes them."""
    content = bytearray(path.read_bytes())
    at = 0
    while at + TAG.size <= len(content):
        kind, form, size, following = TAG.unpack_from(content, at)
        if kind == FIFF.FIFF_REF_FILE_NAME:
            TAG.pack_into(content, at, FIFF.FIFF_NOP, form, size, following)
        if following == -1:
            break
        at = max(following, at + TAG.size + size)
    path.write_bytes(content)


@pytest.mark.parametrize("first", ["a_raw.fif", "rest-1.fif", "a_split-01_meg.fif"])
def test_parts_that_hold_a_number_without_a_name_are_put_together(make_raw, tmp_path, first):
    raw = make_raw(duration_s=170.0)
    raw.save(tmp_path / "whole_raw.fif", split_size="2MB", buffer_size_sec=1, verbose="error")
    for written, name in (("whole_raw.fif", first), ("whole_raw-1.fif", first.replace("01", "02"))):
        name = name if name != first or written == "whole_raw.fif" else f"{first.removesuffix('.fif')}-1.fif"
        (tmp_path / written).rename(tmp_path / name)
        _without_names(tmp_path / name)
    assert len(_open(_plain(tmp_path / first), tmp_path).times) == len(raw.times)


def test_what_is_named_as_a_recording_is_no_part_of_another(make_raw, tmp_path):
    for seed, name in enumerate(("a.fif", "a-1.fif")):
        make_raw(seed=seed).save(tmp_path / name, verbose="error")
    files = tuple(FileEntry(path=str(tmp_path / name), subject=name) for name in ("a.fif", "a-1.fif"))
    assert [len(entry.files) for entry in list_recordings(FileRecordings(files=files))] == [1, 1]


def _other_rate(part):
    return part.resample(100, verbose="error")


def _other_order(part):
    return part.reorder_channels(part.ch_names[::-1])


def _later(part):
    return mne.io.RawArray(part.get_data()[:, 1:], part.info, first_samp=part.first_samp + 1, verbose="error")


def _earlier(part):
    return mne.io.RawArray(part.get_data(), part.info, first_samp=part.first_samp - 1, verbose="error")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_other_rate, "has 100 Hz, and not the 200 Hz of"),
        (lambda part: part.drop_channels(["C3"]), r"has other channels \(C3\) than"),
        (_other_order, "has its channels in another order than"),
        (_later, r"begins 0.005 s after \S+ ends"),
        (_earlier, r"begins 0.005 s before \S+ ends"),
        (lambda part: part.set_meas_date(1_400_000_000), "was recorded at another time than"),
    ],
)
def test_a_part_that_does_not_fit_is_named(raw, tmp_path, change, sentence):
    raw.set_annotations(None).set_meas_date(1_300_000_000)
    paths = [tmp_path / f"sub-01/meg/sub-01_task-x_split-0{number}_meg.fif" for number in (1, 2)]
    _save(raw, *paths)
    change(mne.io.read_raw_fif(paths[1], preload=True, verbose="error")).save(paths[1], overwrite=True, verbose="error")
    with pytest.raises(UserError, match=f"split-02_meg.fif: {sentence}"):
        _open(BidsRecordings(root=str(tmp_path)), tmp_path)


@pytest.mark.parametrize(("lost", "sentence"), [(0, "split-01 is missing"), (1, "split-02 is missing")])
def test_a_part_of_bids_that_is_missing_is_named(raw, tmp_path, lost, sentence):
    paths = [tmp_path / f"sub-01/meg/sub-01_task-x_split-0{number}_meg.fif" for number in (1, 2, 3)]
    _save(raw, *paths)
    paths[lost].unlink()
    with pytest.raises(UserError, match=sentence):
        _open(BidsRecordings(root=str(tmp_path)), tmp_path)


def test_parts_of_other_formats_are_not_left_out_in_silence(tmp_path):
    (tmp_path / "sub-01/eeg").mkdir(parents=True)
    for number in (1, 2):
        (tmp_path / f"sub-01/eeg/sub-01_task-x_split-0{number}_eeg.edf").write_text("x")
    with pytest.raises(UserError, match="is in several parts, which are read of FIF alone .*split-02_eeg.edf"):
        _open(BidsRecordings(root=str(tmp_path), datatype="eeg"), tmp_path)


@pytest.mark.parametrize(
    ("there", "opened", "sentence"),
    [
        (("a_raw.fif",), "a_raw.fif", "a_raw.fif: goes on in a_raw-1.fif, which is missing"),
        (("a_raw-1.fif",), "a_raw-1.fif", "a_raw-1.fif: is a later part of a recording; name the first"),
        (("a_raw.fif", "b_raw.fif"), "a_raw.fif", "goes on in a_raw-1.fif"),
    ],
)
def test_a_chain_that_is_broken_is_told(make_raw, tmp_path, there, opened, sentence):
    make_raw(duration_s=170.0).save(tmp_path / "a_raw.fif", split_size="2MB", buffer_size_sec=1, verbose="error")
    (tmp_path / "a_raw-1.fif").rename(tmp_path / there[-1]) if there[-1] != "a_raw.fif" else (tmp_path / "a_raw-1.fif").unlink()
    with pytest.raises(UserError, match=sentence):
        _open(_plain(tmp_path / opened), tmp_path)
