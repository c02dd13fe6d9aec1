"""Which files of a BIDS dataset open a recording, and which are parts of one."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from preprocessing.readers.bids.kit_parts import KIT_PARTS, kit_parts
from preprocessing.readers.bids.tree import BidsFile, BidsTree
from preprocessing.readers.entry import SourceFile
from preprocessing.readers.formats.bti import is_bti_data
from preprocessing.readers.formats.fif_parts import fif_parts, missing_split
from preprocessing.readers.formats.kit import KIT_SUFFIXES
from preprocessing.readers.formats.opening import SUFFIXES

_FIF = (".fif", ".fif.gz")
_OPENED_BY = {"meg": (*_FIF, ".res4", *KIT_SUFFIXES), "eeg": SUFFIXES}
_CTF_HEADER = ".res4"
_PARTS = {".vhdr": (".vmrk", ".eeg", ".dat"), ".set": (".fdt",)}
# What folders of BTi end with, the second where MNE-BIDS wrote them.
_BTI_FOLDERS = {"", ".pdf"}


def opens_recording(file: BidsFile, datatype: str) -> bool:
    """Tell whether a recording in a format that is read is opened by this file of it."""
    if file.suffix != datatype:
        return False
    return is_bti(file) if not file.has_own_name else file.source.name.lower().endswith(_OPENED_BY[datatype])


def is_bti(file: BidsFile) -> bool:
    """Tell whether this is the data file in a BTi folder."""
    in_folder = file.inside != "" and file.folder.name == file.inside and PurePosixPath(file.inside).suffix in _BTI_FOLDERS
    return in_folder and file.suffix == "meg" and is_bti_data(file.source.name)


def parts_of(recording: BidsFile, tree: BidsTree) -> list[SourceFile]:
    """Find the files that hold parts of a recording.

    They are the later parts of a FIF, BrainVision's markers and data, EEGLAB's data, all of a CTF or BTi folder, and KIT's markers and
    digitised points.
    """
    name = recording.source.name
    if name.endswith(_CTF_HEADER) or is_bti(recording):
        return [file.source for file in tree.beside(recording) if file is not recording]
    if name.lower().endswith(KIT_SUFFIXES):
        levels = [level for suffix in KIT_PARTS for level in tree.levels_above(recording, suffix)]
        return kit_parts(recording, [file for level in levels for file in level])
    if _is_fif(recording):
        beside_by_name = {file.source.name: file.source for file in tree.beside(recording)}
        return [beside_by_name[part] for part in fif_parts(beside_by_name).get(name, ())]
    stem = name.partition(".")[0]
    beside = [file.source for file in tree.beside(recording) if file.source.name.partition(".")[0] == stem]
    suffixes = _PARTS.get(PurePosixPath(name).suffix, ())
    return sorted((file for file in beside if file.name.endswith(suffixes)), key=lambda file: file.name)


def flaw_of_parts(splits: Sequence[BidsFile]) -> str:
    """Say what is wrong with the files that open one recording, in order; empty where nothing is."""
    first = splits[0]
    if _is_fif(first):
        return missing_split([split.source for split in splits])
    names = ", ".join(split.source.name for split in splits)
    what = "holds several data files" if is_bti(first) else "is in several parts, which are read of FIF alone"
    return f"{first.recording_uri}: {what} ({names}); keep one, or leave the recording out" if len(splits) > 1 else ""


def _is_fif(file: BidsFile) -> bool:
    return file.source.name.lower().endswith(_FIF)
