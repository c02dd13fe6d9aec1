"""Plain recordings: list those an experiment names, and open any format that is read."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path, PurePosixPath
from typing import Any

from fsspec import AbstractFileSystem
from mne.io import BaseRaw
from mne.io.constants import FIFF

from crossmodal.config import UserError
from crossmodal.config.preprocessing import FileEntry, FileRecordings
from crossmodal.storage.uri import check_reachable, is_local, join, open_fs
from preprocessing.sources.base import Entry, SourceFile
from preprocessing.sources.bids_tree import BidsFile
from preprocessing.sources.brainvision import read_brainvision
from preprocessing.sources.brainvision_header import header_units
from preprocessing.sources.broken import broken_told
from preprocessing.sources.bti import is_bti_data, read_bti
from preprocessing.sources.ctf import read_ctf
from preprocessing.sources.edf import edf_units, read_edf
from preprocessing.sources.eeglab import read_eeglab
from preprocessing.sources.fif import read_fif
from preprocessing.sources.fif_parts import fif_parts, missing_split
from preprocessing.sources.kit import read_kit
from preprocessing.sources.kit_parts import KIT_SUFFIXES, kit_parts
from preprocessing.sources.listing import files
from preprocessing.sources.text import read_text
from preprocessing.sources.timeline import settle_marks

_FILE_READERS: dict[str, Callable[[Path], BaseRaw]] = {
    ".edf": read_edf,
    ".bdf": read_edf,
    ".set": read_eeglab,
}
_FIF, _BRAINVISION = (".fif", ".fif.gz"), ".vhdr"
SUFFIXES = (*_FIF, *_FILE_READERS, _BRAINVISION)
# A CTF recording is a folder, which may also be named by the header in it.
_READERS = _FILE_READERS | {".ds": read_ctf, ".res4": lambda path: read_ctf(path.parent)}
# Suffixes of files that hold a part of the recording that a file of the same stem opens.
_PARTS = {
    ".vhdr": (".dat", ".eeg", ".vmrk"),
    ".set": (".fdt",),
    ".con": (".elp", ".hsp", ".mrk"),
    ".sqd": (".elp", ".hsp", ".mrk"),
}


def read_raw_file(path: Path, uri: str | None = None, parts: Mapping[str, Path] | None = None) -> BaseRaw:
    """Open a recording without loading it: FIF (split or not), CTF, KIT, BTi, EDF, BDF, BrainVision or EEGLAB.

    Parameters
    ----------
    path : Path
        Its header, where a format has one; of BTi its data file.
    uri : str, optional
        What sentences call it when `path` is a staged copy.
    parts : mapping of str to Path, optional
        Copies of what belongs to it, by what sentences call them: later parts of a FIF, KIT's markers and digitised points; other formats
        find what lies beside. By default, of a FIF those that lie beside it, too.

    Raises
    ------
    UserError
        The file is missing, empty, of another format, or broken; the sentence names it and the cause.
    """
    called = uri or str(path)
    reader = _reader(path, called, parts)
    if reader is None:
        named = ", ".join((*_FIF, *_READERS, _BRAINVISION, *KIT_SUFFIXES))
        raise UserError(f"{called}: recordings are read from {named} or folders of 4D/BTi; convert it to one of them")
    if not path.exists():
        raise UserError(f"{called}: no such recording; check the path")
    if path.stat().st_size == 0:
        raise UserError(f"{called}: the recording is an empty file; fetch its content (datalad get, aws s3 cp) or leave it out")
    with broken_told(called):
        raw = reader(path)
        settle_marks(raw)
    return raw


def written_units(path: Path, raw: BaseRaw) -> dict[str, str]:
    """What a recording says of the unit of each channel, in its own words; numbers are volts where that is a voltage, else as stored.

    Parameters
    ----------
    path : Path
        Where the recording was opened.
    raw : BaseRaw
        As `read_raw_file` gives it.
    """
    suffix = _suffix(path.name)
    if suffix in (".edf", ".bdf"):
        units = edf_units(path)
    elif suffix == _BRAINVISION:
        units = header_units(read_text(path, path.name))[: len(raw.ch_names)]
    elif suffix == ".set":
        # A convention: the format has no place for units.
        units = ["µV"] * len(raw.ch_names)
    else:
        units = [_unit_of(channel) for channel in raw.info["chs"]]
    return dict(zip(raw.ch_names, units, strict=True))


def _unit_of(channel: Mapping[str, Any]) -> str:
    """The unit that MNE knows of a channel, whose multiplier it does not apply."""
    if channel["unit"] != FIFF.FIFF_UNIT_V:
        return "" if channel["unit"] == FIFF.FIFF_UNIT_NONE else str(channel["unit"])
    return f"V x 10^{int(channel['unit_mul'])}" if channel["unit_mul"] else "V"


def _reader(path: Path, called: str, parts: Mapping[str, Path] | None) -> Callable[[Path], BaseRaw] | None:
    suffix = _suffix(path.name)
    if suffix in _FIF:
        return partial(read_fif, called=called, parts=_parts_beside(path) if parts is None else parts)
    if suffix in KIT_SUFFIXES:
        return partial(read_kit, called=called, parts=parts or {})
    if suffix == _BRAINVISION:
        return partial(read_brainvision, called=called)
    return partial(read_bti, called=called) if is_bti_data(path.name) else _READERS.get(suffix)


def list_files(recordings: FileRecordings) -> list[Entry]:
    """List named recordings with the files that belong to each; one that is missing is told when it is read.

    Raises
    ------
    UserError
        A store cannot be reached or refuses the credentials.
    """
    remote = {file.path.partition("://")[2].partition("/")[0]: file.path for file in recordings.files if not is_local(file.path)}
    for path in remote.values():
        check_reachable(path, recordings.anonymous, recordings.endpoint_url)
    # Many recordings may lie in one folder.
    list_once = cache(_Folder.listed)
    named = {open_fs(file.path, recordings.anonymous, recordings.endpoint_url)[1] for file in recordings.files}
    return [_entry(file, recordings, list_once, named) for file in recordings.files]


@dataclass(frozen=True)
class _Folder:
    """Files of a folder by name, and the later parts of FIF recordings by the name of the first."""

    files: dict[str, SourceFile]
    fif_parts: dict[str, list[str]]

    @classmethod
    def listed(cls, filesystem: AbstractFileSystem, folder: str) -> "_Folder":
        found = {file.name: file for file in files(filesystem, folder)}
        return cls(found, fif_parts(found))


def _entry(
    file: FileEntry, recordings: FileRecordings, list_once: Callable[[AbstractFileSystem, str], _Folder], named: Collection[str]
) -> Entry:
    filesystem, path = open_fs(file.path, recordings.anonymous, recordings.endpoint_url)
    folder, _, name = path.rpartition("/")
    uri, data = file.path, list[str]()
    if name.endswith(".ds"):
        folder, name = path, f"{name.removesuffix('.ds')}.res4"
        uri = join(uri, name)
    elif not _is_known(name):
        data = [found.name for found in files(filesystem, path) if is_bti_data(found.name)]
        if data:
            folder, name = path, data[0]
            uri = join(uri, name)
    listed = list_once(filesystem, folder)
    first = listed.files.get(name, SourceFile.missing(uri))
    # What is named as a recording of its own is no part of another.
    parts = [part for part in _parts(first, listed) if f"{folder}/{part.name}" not in named]
    several = f"{file.path}: holds several data files ({', '.join(data)}); name one of them in recordings.files" if len(data) > 1 else ""
    return Entry(
        subject=file.subject,
        run=file.run,
        files=(first, *parts),
        channels=_channels_beside(first, listed.files),
        flaw=several or missing_split((first, *parts)),
    )


def _channels_beside(first: SourceFile, listed: Mapping[str, SourceFile]) -> SourceFile | None:
    """Find channels.tsv of a recording that is called as BIDS calls it: units and types may stand there alone."""
    stem, _, kind = first.name.partition(".")[0].rpartition("_")
    return listed.get(f"{stem}_channels.tsv") if kind in ("eeg", "meg") else None


def _parts(first: SourceFile, folder: _Folder) -> list[SourceFile]:
    """Find what belongs to a recording among the files of its folder."""
    listed, suffix = folder.files, _suffix(first.name)
    if is_bti_data(first.name):
        return [found for found in listed.values() if found is not first]
    if suffix == ".res4":
        return sorted((found for found in listed.values() if found is not first), key=lambda found: (len(found.name), found.name))
    if suffix in _FIF:
        return [listed[name] for name in folder.fif_parts.get(first.name, ())]
    stem = first.name.removesuffix(PurePosixPath(first.name).suffix)
    parts = [listed[f"{stem}{of_part}"] for of_part in _PARTS.get(suffix, ()) if f"{stem}{of_part}" in listed]
    if suffix in KIT_SUFFIXES:
        here = PurePosixPath()
        parts += kit_parts(BidsFile.named(first, here), [BidsFile.named(beside, here) for beside in listed.values()])
    return parts


def _parts_beside(path: Path) -> dict[str, Path]:
    beside = fif_parts(file.name for file in path.parent.glob("*.fif*")).get(path.name, ())
    return {str(path.with_name(name)): path.with_name(name) for name in beside}


def _is_known(name: str) -> bool:
    return is_bti_data(name) or _suffix(name) in (*_FIF, *_READERS, _BRAINVISION, *KIT_SUFFIXES)


def _suffix(name: str) -> str:
    return ".fif.gz" if name.endswith(".fif.gz") else PurePosixPath(name).suffix.lower()
