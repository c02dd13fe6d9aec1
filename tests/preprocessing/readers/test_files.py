import struct

import mne
import numpy as np
import pytest

from crossmodal.config import UserError
from crossmodal.config.preprocessing import FileEntry, FileRecordings
from preprocessing.readers.events.annotations import recorded_events
from preprocessing.readers.files import list_files
from preprocessing.readers.formats.opening import read_raw_file
from preprocessing.signals.spans import continuous_pieces
from tests.preprocessing.readers import layouts


def test_real_files_of_every_format_open(real_data):
    assert read_raw_file(real_data / "paired_eeg_meg/sample_audvis_trunc_raw_sss.fif").info["nchan"] == 376
    assert read_raw_file(real_data / "paired_eeg_meg/test_move_anon_erm_raw.fif").info["maxshield"]
    assert read_raw_file(real_data / "eeg/test_raw.set").info["nchan"] == 32
    assert read_raw_file(real_data / "eeg/bv_dig_test.vhdr").info["sfreq"] == 5000


def test_a_session_is_what_the_experiment_says(tmp_path):
    files = tuple(FileEntry.model_validate({"path": str(tmp_path / "a.edf"), "subject": "01"} | more) for more in ({}, {"session": "b"}))
    assert [entry.session for entry in list_files(FileRecordings(files=files))] == ["", "b"]
    assert [set(file.model_dump()) for file in files] == [{"path", "subject", "run"}, {"path", "subject", "session", "run"}]


def test_edf_opens(make_raw, tmp_path):
    raw = make_raw().pick("eeg")
    mne.export.export_raw(tmp_path / "a.edf", raw, verbose="error")
    opened = read_raw_file(tmp_path / "a.edf")
    assert opened.ch_names == raw.ch_names
    np.testing.assert_allclose(opened.get_data(), raw.get_data(), atol=1e-8)


@pytest.mark.parametrize(("extension", "missing_bytes"), [(".edf", 1), (".edf", 20_000), (".bdf", 1), (".bdf", 20_000)])
def test_edf_and_bdf_that_end_early_are_refused(make_raw, tmp_path, extension, missing_bytes):
    path = tmp_path / f"a{extension}"
    mne.export.export_raw(path, make_raw().pick("eeg"), verbose="error")
    assert len(read_raw_file(path).times) == 2000
    path.write_bytes(path.read_bytes()[:-missing_bytes])
    with pytest.raises(UserError, match=r"a.[eb]df: cannot be read as a recording \(it is truncated and holds \d of 10 records\)"):
        read_raw_file(path)


@pytest.mark.parametrize("extension", [".edf", ".bdf"])
def test_edf_that_was_interrupted_is_refused(make_raw, tmp_path, extension):
    """EDF+D may have gaps between records, and need not."""
    path = tmp_path / f"a{extension}"
    raw = make_raw().pick("eeg")
    mne.export.export_raw(path, raw.set_annotations(mne.Annotations([2.5], [0.0], ["a remark of some length"])), verbose="error")
    whole = path.read_bytes().replace(b"F+C", b"F+D", 1)
    path.write_bytes(whole)
    assert len(read_raw_file(path).times) == 2000
    path.write_bytes(whole.replace(b"+9\x14\x14\x00\x00", b"+12\x14\x14\x00", 1))
    with pytest.raises(UserError, match=rf"a{extension}: cannot be read as a recording \(it is discontinuous: 3 s are missing after 9 s\)"):
        read_raw_file(path)


def buffers_of(whole):
    """Where the tags of a FIF's samples begin."""
    at, buffers = 0, []
    while at < len(whole):
        kind, _, size, _ = struct.unpack(">iIii", whole[at : at + 16])
        buffers += [at] * (kind == 300)
        at += 16 + size
    return buffers


def test_fif_that_ends_between_two_buffers_is_refused(make_raw, tmp_path):
    """There MNE reads what comes before and says nothing."""
    path = tmp_path / "a_raw.fif"
    make_raw().save(path, verbose="error")
    whole = path.read_bytes()
    path.write_bytes(whole[: buffers_of(whole)[4]])
    with pytest.raises(UserError, match=r"a_raw.fif: cannot be read as a recording \(a_raw.fif is truncated: it ends before its data do\)"):
        read_raw_file(path)


@pytest.mark.parametrize("changed", ["next", "length"])
def test_fif_whose_tags_lead_back_is_refused(make_raw, tmp_path, changed):
    """MNE follows them for ever."""
    path = tmp_path / "a_raw.fif"
    make_raw().save(path, verbose="error")
    whole = bytearray(path.read_bytes())
    first, at = buffers_of(whole)[:2]
    if changed == "next":
        whole[at + 12 : at + 16] = struct.pack(">i", first)
    else:
        whole[at + 8 : at + 12] = struct.pack(">i", first - at - 16)
    path.write_bytes(whole)
    with pytest.raises(
        UserError, match=rf"a_raw.fif: cannot be read as a recording \(a_raw.fif is damaged: the tag at byte {at} leads back\)"
    ):
        read_raw_file(path)


def test_brainvision_without_its_markers_is_refused(make_raw, tmp_path):
    """They tell its events, and where nothing is filtered across."""
    mne.export.export_raw(tmp_path / "a.vhdr", make_raw().pick("eeg"), verbose="error")
    (tmp_path / "a.vmrk").unlink()
    with pytest.raises(UserError, match=r"a.vhdr: its marker file \(.vmrk\) is missing; fetch it"):
        read_raw_file(tmp_path / "a.vhdr")


def boundaries_of(path):
    raw = read_raw_file(path)
    return [piece.stop_s for piece in continuous_pieces(raw)][:-1], recorded_events(raw)[0].trial_type


def test_pauses_of_brainvision_are_boundaries_and_no_events(tmp_path):
    markers = [("Stimulus", "S  1", 100), ("New Segment", "", 1000), ("Stimulus", "S  1", 1500)]
    layouts.write_brainvision(tmp_path / "a.vhdr", layouts.noise(2, 2000), ["Cz", "Pz"], 200.0, markers)
    assert boundaries_of(tmp_path / "a.vhdr") == ([5.0], ("Stimulus/S  1", "Stimulus/S  1"))


def test_a_staged_copy_is_called_by_where_it_came_from(tmp_path):
    layouts.write_brainvision(tmp_path / "a.vhdr", layouts.noise(2, 2000), ["Cz", "Pz"], 200.0, [])
    samples = tmp_path / "a.eeg"
    samples.write_bytes(samples.read_bytes()[:-1])
    with pytest.raises(UserError, match="^s3://bucket/sub-01/a.eeg: is truncated, it "):
        read_raw_file(tmp_path / "a.vhdr", uri="s3://bucket/sub-01/a.vhdr")
    (tmp_path / "a.vmrk").unlink()
    samples.unlink()
    with pytest.raises(UserError, match="^s3://bucket/sub-01/a.vhdr: its data file is missing"):
        read_raw_file(tmp_path / "a.vhdr", uri="s3://bucket/sub-01/a.vhdr")


def test_cuts_of_eeglab_are_boundaries_and_no_events(make_raw, tmp_path):
    """A cut lies between two samples, and is as long as what was cut out."""
    raw = make_raw().pick("eeg")
    raw.set_annotations(mne.Annotations([1.0, 4.9975, 7.0], [0.0, 3.0, 0.0], ["face", "boundary", "face"]))
    mne.export.export_raw(tmp_path / "a.set", raw, verbose="error")
    assert boundaries_of(tmp_path / "a.set") == ([5.0], ("face", "face"))


def test_split_fif_is_listed_with_its_siblings(make_raw, tmp_path):
    raw = make_raw(duration_s=250.0)
    raw.save(tmp_path / "a_raw.fif", split_size="2MB", verbose="error")
    (tmp_path / "a_raw-note.fif").write_text("not a split")
    (entry,) = list_files(FileRecordings(files=(FileEntry(path=str(tmp_path / "a_raw.fif"), subject="1"),)))
    assert [file.name for file in entry.files] == ["a_raw.fif", "a_raw-1.fif", "a_raw-2.fif"]
    assert len(read_raw_file(tmp_path / "a_raw.fif").times) == len(raw.times)


def test_header_is_listed_with_its_data(real_data):
    paths = (str(real_data / "eeg" / name) for name in ("bv_dig_test.vhdr", "test_raw.set"))
    files = tuple(FileEntry(path=path, subject=str(number)) for number, path in enumerate(paths))
    brainvision, eeglab = list_files(FileRecordings(files=files))
    assert [file.name for file in brainvision.files] == ["bv_dig_test.vhdr", "bv_dig_test.eeg", "bv_dig_test.vmrk"]
    assert [file.name for file in eeglab.files] == ["test_raw.set", "test_raw.fdt"]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a_raw.fif", None, "a_raw.fif: no such recording"),
        ("a_raw.fif", b"", "a_raw.fif: the recording is an empty file"),
        ("a_raw.fif", b"not a fif", "a_raw.fif: cannot be read as a recording"),
        ("a.edf", b"not an edf", "a.edf: cannot be read as a recording"),
        ("a.txt", b"1 2 3", "a.txt: recordings are read from .fif"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, name, content, sentence):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=sentence):
        read_raw_file(tmp_path / name)


def test_averages_are_no_recording(real_data):
    with pytest.raises(UserError, match=r"test-ave.fif.gz: cannot be read as a recording \(No raw data"):
        read_raw_file(real_data / "paired_eeg_meg/test-ave.fif.gz")


def test_a_lost_split_is_told(make_raw, tmp_path):
    make_raw(duration_s=250.0).save(tmp_path / "a_raw.fif", split_size="2MB", verbose="error")
    (tmp_path / "a_raw-1.fif").unlink()
    with pytest.raises(UserError, match=r"a_raw-2.fif: begins 93 s after .*/a_raw.fif ends.* names a_raw-1.fif instead"):
        read_raw_file(tmp_path / "a_raw.fif")


def test_lost_data_beside_a_header_are_told(real_data, tmp_path):
    (tmp_path / "test_raw.set").write_bytes((real_data / "eeg/test_raw.set").read_bytes())
    with pytest.raises(UserError, match="test_raw.set: cannot be read as a recording"):
        read_raw_file(tmp_path / "test_raw.set")
