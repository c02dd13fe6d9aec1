"""List plain recordings, which an experiment names one by one, with the files that belong to each."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

from fsspec import AbstractFileSystem

from crossmodal.config.preprocessing import FileEntry, FileRecordings
from crossmodal.storage.uri import check_reachable, is_local, join, open_fs
from preprocessing.readers.bids.kit_parts import kit_parts
from preprocessing.readers.bids.tree import BidsFile
from preprocessing.readers.entry import Entry, SourceFile
from preprocessing.readers.formats.bti import is_bti_data
from preprocessing.readers.formats.fif_parts import fif_parts, missing_split
from preprocessing.readers.formats.kit import KIT_SUFFIXES
from preprocessing.readers.formats.opening import FIF_SUFFIXES, is_known, suffix_of
from preprocessing.readers.stores import files

# Suffixes of files that hold a part of the recording that a file of the same stem opens.
_PARTS = {
    ".vhdr": (".dat", ".eeg", ".vmrk"),
    ".set": (".fdt",),
    ".con": (".elp", ".hsp", ".mrk"),
    ".sqd": (".elp", ".hsp", ".mrk"),
}


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
    elif not is_known(name):
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
        session=file.session,
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
    listed, suffix = folder.files, suffix_of(first.name)
    if is_bti_data(first.name):
        return [found for found in listed.values() if found is not first]
    if suffix == ".res4":
        return sorted((found for found in listed.values() if found is not first), key=lambda found: (len(found.name), found.name))
    if suffix in FIF_SUFFIXES:
        return [listed[name] for name in folder.fif_parts.get(first.name, ())]
    stem = first.name.removesuffix(PurePosixPath(first.name).suffix)
    parts = [listed[f"{stem}{of_part}"] for of_part in _PARTS.get(suffix, ()) if f"{stem}{of_part}" in listed]
    if suffix in KIT_SUFFIXES:
        here = PurePosixPath()
        parts += kit_parts(BidsFile.named(first, here), [BidsFile.named(beside, here) for beside in listed.values()])
    return parts
