"""Find the BOLD image of each EEG of a BIDS dataset; where there is not exactly one, say what there is."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from preprocessing.readers.bids.tree import BidsFile, BidsTree

_IMAGES = (".nii.gz", ".nii")
# Entities that an EEG and its image have in common, besides the run, whose number may be written with zeros before it or not.
_SHARED = ("sub", "ses", "task")
_Key = tuple[str | int | None, ...]


@dataclass(frozen=True)
class Found:
    """The image of an EEG, or in a sentence why there is none; neither where it is missing altogether."""

    image: BidsFile | None = None
    flaw: str = ""


def find_images(recordings: Sequence[BidsFile], tree: BidsTree) -> list[Found]:
    """Find the image of each recording's session, task and run: in func/ beside eeg/, where there should be one."""
    images, eegs, of_task = (defaultdict[_Key, list[BidsFile]](list) for _ in range(3))
    for file in tree.files:
        if file.suffix == "bold" and file.source.name.endswith(_IMAGES):
            images[_key(file)].append(file)
            of_task[_key(file)[:-1]].append(file)
    for recording in recordings:
        eegs[_key(recording)].append(recording)
    return [_found(eeg, images[_key(eeg)], eegs[_key(eeg)], of_task[_key(eeg)[:-1]]) for eeg in recordings]


def _found(eeg: BidsFile, images: Sequence[BidsFile], eegs: Sequence[BidsFile], of_task: Sequence[BidsFile]) -> Found:
    uri = eeg.source.uri
    if any(len({file.entities.get("run") for file in files}) > 1 for files in (eegs, images)):
        return Found(flaw=f"{uri}: {_listing((*eegs, *images))} are of the same run by number; rename those that are of another")
    if not images:
        # With a run on one side alone.
        alike = [file for file in of_task if "run" not in file.entities or "run" not in eeg.entities]
        told = f"{uri}: has no image of the same run, but there is {_listing(alike)}; rename what belongs to it" if alike else ""
        return Found(flaw=told)
    magnitudes = [file for file in images if file.entities.get("part", "mag") == "mag"]
    if not magnitudes:
        return Found(flaw=f"{uri}: has no magnitude image, only {_listing(images)}; add that of part-mag, or leave the recording out")
    combined = [file for file in magnitudes if "echo" not in file.entities]
    if not combined:
        return Found(
            flaw=f"{uri}: has a multi-echo image ({_listing(magnitudes)}), and echoes are not combined here; combine them (tedana does, or"
            " fMRIPrep's desc-optcom is) and add the result without the echo entity, or leave the recording out"
        )
    if len(combined) > 1:
        return Found(flaw=f"{uri}: has several images ({_listing(combined)}); keep one, or leave the recording out")
    return Found(combined[0])


def _key(file: BidsFile) -> _Key:
    run = file.entities.get("run")
    return (*(file.entities.get(key) for key in _SHARED), int(run) if run and run.isdecimal() else run)


def _listing(files: Sequence[BidsFile]) -> str:
    return ", ".join(sorted(file.source.name for file in files))
