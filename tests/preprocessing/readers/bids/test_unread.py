"""Recordings in formats that are not read are told, one by one; what only speaks of a recording, or is a part of one, is not."""

import pytest

from crossmodal.config import UserError
from crossmodal.config.eeg_fmri import BidsFmriRecordings
from crossmodal.config.preprocessing import BidsRecordings
from preprocessing.readers.reading import list_recordings, open_recording
from preprocessing.readers.registry import READERS


def touch(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        # The last of them are the largest.
        (root / path).write_text("x" * len(paths[: paths.index(path) + 1]))


def flaws(root, **settings):
    return {entry.label: entry.flaw for entry in list_recordings(BidsRecordings(root=str(root), **settings)) if entry.flaw}


def told(root, name, extension):
    return f"{root}/{name}: is in a format that is not read ({extension}); convert it to FIF, or leave the recording out"


READ = "sub-01/meg/sub-01_task-x_meg.fif"


@pytest.mark.parametrize(
    ("files", "named", "extension"),
    [
        (["sub-02_task-x_meg.chn", "sub-02_task-x_meg.trg", "sub-02_task-x_meg.kdf"], "sub-02_task-x_meg.kdf", ".kdf"),
        (["sub-02_task-x_meg.raw.mhd", "sub-02_task-x_meg.raw"], "sub-02_task-x_meg.raw", ".raw"),
        (["sub-02_task-x_meg.json", "sub-02_task-x_channels.tsv", "sub-02_task-x_meg.nwb"], "sub-02_task-x_meg.nwb", ".nwb"),
        (["sub-02_task-x_meg.lvm"], "sub-02_task-x_meg.lvm", ".lvm"),
    ],
)
def test_meg_in_another_format_is_told_once(tmp_path, files, named, extension):
    touch(tmp_path, READ, *(f"sub-02/meg/{name}" for name in files))
    assert flaws(tmp_path) == {"sub-02 run 01": told(tmp_path, f"sub-02/meg/{named}", extension)}
    first, second = list_recordings(BidsRecordings(root=str(tmp_path)))
    assert not first.flaw
    with pytest.raises(UserError, match="is in a format that is not read"):
        open_recording(second, BidsRecordings(root=str(tmp_path)), tmp_path)


@pytest.mark.parametrize(
    ("files", "named", "extension"),
    [
        (["sub-02_task-x_eeg.cnt"], "sub-02_task-x_eeg.cnt", ".cnt"),
        (["sub-02_task-x_eeg.mefd/Fp1.timd/Fp1-000000.segd/Fp1-000000.tdat", "sub-02_task-x_eeg.json"], "sub-02_task-x_eeg.mefd", ".mefd"),
        (["sub-02_task-x_eeg.MAT"], "sub-02_task-x_eeg.MAT", ".mat"),
    ],
)
def test_eeg_in_another_format_is_told_once(tmp_path, files, named, extension):
    touch(tmp_path, "sub-01/eeg/sub-01_task-x_eeg.set", "sub-01/eeg/sub-01_task-x_eeg.fdt", *(f"sub-02/eeg/{name}" for name in files))
    expected = {"sub-02 run 01": told(tmp_path, f"sub-02/eeg/{named}", extension)}
    assert flaws(tmp_path, datatype="eeg") == expected
    beside_images = list_recordings(BidsFmriRecordings(root=str(tmp_path)))
    assert {entry.label: entry.flaw for entry in beside_images if entry.flaw} == expected
    assert len(beside_images) == 2


def test_what_speaks_of_a_recording_or_is_a_part_of_one_is_none(tmp_path):
    touch(tmp_path, READ, "sub-01/meg/sub-01_task-x_meg.json")
    touch(tmp_path, "sub-01/meg/sub-01_acq-calibration_meg.dat", "sub-01/meg/sub-01_acq-crosstalk_meg.fif")
    touch(tmp_path, "sub-01/meg/sub-01_task-x_meg.html", "sub-02/meg/sub-02_task-y_meg.json", "sub-01/meg/sub-01_headshape.pos")
    touch(tmp_path, "sub-03/meg/sub-03_task-x_meg.con", "sub-03/meg/sub-03_task-x_markers.sqd", "sub-03/meg/sub-03_task-x_meg.mat")
    touch(tmp_path, *(f"sub-04/meg/sub-04_task-x_meg/{name}" for name in ("c,rfDC", "config", "hs_file", "e,rfhp1.0Hz.COH")))
    touch(tmp_path, *(f"sub-05/meg/sub-05_task-x_meg.ds/{name}" for name in ("sub-05_task-x_meg.res4", "BadChannels", "hz.ds/hz.res4")))
    touch(tmp_path, "sub-emptyroom/ses-20200101/meg/sub-emptyroom_ses-20200101_task-noise_meg.kdf")
    for part in ("vhdr", "vmrk", "eeg", "dat"):
        touch(tmp_path, f"sub-01/eeg/sub-01_task-x_eeg.{part}")
    assert flaws(tmp_path) == {}
    assert flaws(tmp_path, datatype="eeg") == {}
    assert [entry.subject for entry in list_recordings(BidsRecordings(root=str(tmp_path)))] == ["01", "03", "04", "05"]
    with pytest.raises(UserError, match="no recording found .sub-02"):
        list_recordings(BidsRecordings(root=str(tmp_path), subjects=("02",)))


@pytest.mark.parametrize(
    ("datatype", "lost", "why"),
    [
        ("eeg", "sub-02_task-x_eeg.eeg", "its header (.vhdr) is missing; fetch it, or leave the recording out"),
        ("eeg", "sub-02_task-x_eeg.fdt", "its header (.set) is missing; fetch it, or leave the recording out"),
        ("meg", "sub-02_task-x_meg.ds/sub-02_task-x_meg.meg4", "its header (.res4) is missing; fetch it, or leave the recording out"),
        (
            "meg",
            "sub-02_task-x_meg/config",
            "is a folder without what a 4D/BTi recording is opened by (c,rf*); fetch it, or leave the",
        ),
    ],
)
def test_a_recording_without_what_opens_it_is_told(tmp_path, datatype, lost, why):
    touch(tmp_path, f"sub-01/{datatype}/sub-01_task-x_{datatype}.fif", f"sub-02/{datatype}/{lost}")
    ((label, flaw),) = flaws(tmp_path, datatype=datatype).items()
    assert label == "sub-02 run 01"
    assert flaw.startswith(f"{tmp_path}/sub-02/{datatype}/{lost.partition('/')[0]}: {why}")


def test_only_wanted_ones_are_told_and_others_keep_their_names(tmp_path):
    touch(tmp_path, READ)
    before = list_recordings(BidsRecordings(root=str(tmp_path)))
    touch(tmp_path, "sub-01/meg/sub-01_task-y_meg.kdf", "sub-02/meg/sub-02_task-x_meg.kdf", "sub-01/meg/sub-01_task-x_proc-sss_meg.kdf")
    after = list_recordings(BidsRecordings(root=str(tmp_path)))
    assert [entry.label for entry in after] == ["sub-01 run 01", "sub-01 run task-y_01", "sub-02 run 01"]
    assert after[0] == before[0]
    assert list(flaws(tmp_path, task="x")) == ["sub-02 run 01"]
    assert list(flaws(tmp_path, subjects=("01",))) == ["sub-01 run task-y_01"]


def test_a_dataset_of_which_nothing_is_read_says_why(tmp_path):
    touch(tmp_path, "sub-01/meg/sub-01_task-x_meg.kdf")
    assert flaws(tmp_path) == {"sub-01 run 01": told(tmp_path, "sub-01/meg/sub-01_task-x_meg.kdf", ".kdf")}


def test_the_list_of_sources_says_what_is_read():
    assert all(form in READERS["bids"].summary for form in ("FIF", "CTF", "KIT", "BTi", "have to be converted"))
