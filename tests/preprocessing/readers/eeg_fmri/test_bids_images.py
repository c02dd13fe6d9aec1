"""The image of an EEG is found by session, task and run; what is there instead of one is told as what it is."""

from pathlib import PurePosixPath

import pytest

from preprocessing.readers.bids.tree import BidsFile, BidsTree
from preprocessing.readers.eeg_fmri.bids_images import find_images
from preprocessing.readers.entry import SourceFile


def _file(name, folder):
    return BidsFile.named(SourceFile(uri=f"/ds/sub-01/{folder}/{name}", size_bytes=1, version="1"), PurePosixPath(f"sub-01/{folder}"))


def _found(eegs, images):
    eegs = [_file(f"sub-01_{name}_eeg.vhdr", "eeg") for name in eegs]
    images = [_file(f"sub-01_{name}.nii.gz", "func") for name in images]
    return find_images(eegs, BidsTree([*eegs, *images]))


@pytest.mark.parametrize(
    ("eeg", "images", "taken"),
    [
        ("task-rest", ["task-rest_bold", "task-rest_sbref", "task-nback_bold"], "task-rest_bold"),
        ("task-rest_run-1", ["task-rest_run-01_bold", "task-rest_run-02_bold"], "task-rest_run-01_bold"),
        ("task-rest_run-002", ["task-rest_run-1_bold", "task-rest_run-2_bold"], "task-rest_run-2_bold"),
        ("task-rest", ["task-rest_part-mag_bold", "task-rest_part-phase_bold"], "task-rest_part-mag_bold"),
        ("task-rest", ["task-rest_bold", "task-rest_echo-1_bold", "task-rest_echo-2_bold"], "task-rest_bold"),
    ],
)
def test_the_image_of_the_same_run_is_found_however_its_number_is_written(eeg, images, taken):
    (found,) = _found([eeg], images)
    assert found.flaw == ""
    assert found.image.source.name == f"sub-01_{taken}.nii.gz"


@pytest.mark.parametrize(
    ("images", "told"),
    [
        (
            ["task-rest_echo-1_bold", "task-rest_echo-2_bold"],
            "has a multi-echo image (sub-01_task-rest_echo-1_bold.nii.gz, sub-01_task-rest_",
        ),
        (
            ["task-rest_echo-1_part-mag_bold", "task-rest_echo-1_part-phase_bold"],
            "has a multi-echo image (sub-01_task-rest_echo-1_part-mag",
        ),
        (["task-rest_part-phase_bold"], "has no magnitude image, only sub-01_task-rest_part-phase_bold.nii.gz"),
        (["task-rest_run-01_bold"], "has no image of the same run, but there is sub-01_task-rest_run-01_bold.nii.gz"),
        (
            ["task-rest_dir-AP_bold", "task-rest_dir-PA_bold"],
            "has several images (sub-01_task-rest_dir-AP_bold.nii.gz, sub-01_task-rest_dir-PA",
        ),
    ],
)
def test_what_is_no_single_image_is_told_as_what_it_is(images, told):
    (found,) = _found(["task-rest"], images)
    assert found.image is None
    assert told in found.flaw


def test_runs_of_the_same_number_are_told_and_others_are_read():
    first, second, third = _found(
        ["task-rest_run-1", "task-rest_run-01", "task-rest_run-2"], ["task-rest_run-01_bold", "task-rest_run-02_bold"]
    )
    for twin in (first, second):
        assert "sub-01_task-rest_run-01_eeg.vhdr, sub-01_task-rest_run-1_eeg.vhdr are of the same run by number" in twin.flaw
    assert third.image.source.name == "sub-01_task-rest_run-02_bold.nii.gz"
    (echoes,) = _found(["task-rest_run-1"], ["task-rest_run-01_echo-1_bold", "task-rest_run-01_echo-2_bold"])
    assert "multi-echo" in echoes.flaw
    (of_images,) = _found(["task-rest_run-01"], ["task-rest_run-01_bold", "task-rest_run-1_bold"])
    assert "are of the same run by number" in of_images.flaw


def test_an_image_that_is_missing_altogether_is_told_when_it_is_read():
    assert [(found.image, found.flaw) for found in _found(["task-rest_run-01"], ["task-rest_run-02_bold"])] == [(None, "")]
