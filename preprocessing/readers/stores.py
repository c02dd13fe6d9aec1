"""Reach the stores that recordings lie on: list folders, ask about many files at a time, and bring files to this machine."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from fsspec import AbstractFileSystem

from crossmodal.config import UserError
from crossmodal.config.preprocessing import Recordings
from crossmodal.storage.uri import check_reachable, fetch_file, is_local, open_fs
from preprocessing.readers.entry import SourceFile

_QUESTIONS_AT_A_TIME = 16
FindFile = Callable[[str], SourceFile]
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


def open_root(root: str, anonymous: bool, endpoint_url: str | None) -> tuple[AbstractFileSystem, str]:
    """Return the file system that holds a dataset, and the dataset's path on it.

    Raises
    ------
    UserError
        It is on a store that does not answer, refuses the credentials, or has no such bucket.
    """
    if not is_local(root):
        check_reachable(root, anonymous, endpoint_url)
    return open_fs(root, anonymous, endpoint_url)


def folders(filesystem: AbstractFileSystem, folder: str) -> list[str]:
    """Paths of a folder's folders, in order; none where it is missing."""
    return sorted(entry["name"] for entry in _listed(filesystem, folder) if is_folder(filesystem, entry))


def files(filesystem: AbstractFileSystem, folder: str) -> list[SourceFile]:
    """A folder's files by name; none where it is missing."""
    found = [SourceFile.listed(filesystem, entry) for entry in _listed(filesystem, folder) if not is_folder(filesystem, entry)]
    return sorted(found, key=lambda file: file.name)


def file_finder(recordings: Recordings) -> FindFile:
    """Return what describes the file at a URI as `SourceFile.at` does, and asks its store once, however many recordings name it."""
    return cache(lambda uri: SourceFile.at(uri, recordings.anonymous, recordings.endpoint_url))


def asked_at_once(ask: Callable[[Asked], Answer], about: Iterable[Asked]) -> list[Answer]:
    """Ask a store about many things at a time; answers are in order."""
    with ThreadPoolExecutor(_QUESTIONS_AT_A_TIME) as pool:
        return list(pool.map(ask, about))


def stage(file: SourceFile, recordings: Recordings, scratch: Path) -> Path:
    """Copy a remote file to `scratch`; a local one is read in place, and whoever reads it says when it is missing.

    Raises
    ------
    UserError
        There is no such remote file, or the store refuses it.
    """
    if is_local(file.uri):
        return Path(file.uri)
    staged = scratch / file.staged_name
    staged.parent.mkdir(exist_ok=True)
    try:
        fetch_file(file.uri, staged, recordings.anonymous, recordings.endpoint_url)
    except FileNotFoundError:
        raise UserError(f"{file.uri}: no such file; check the path") from None
    return staged


def is_folder(filesystem: AbstractFileSystem, entry: dict[str, Any]) -> bool:
    """Tell whether an entry of a listing is a folder; of a symbolic link, whether it leads to one."""
    return entry["type"] == "directory" or (bool(entry.get("islink")) and bool(filesystem.isdir(entry["name"])))


def _listed(filesystem: AbstractFileSystem, folder: str) -> list[dict[str, Any]]:
    try:
        return list(filesystem.ls(folder, detail=True))
    except (FileNotFoundError, NotADirectoryError):
        return []
