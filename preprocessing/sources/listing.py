"""Open a dataset's folder, and list folders that may not be there."""

from typing import Any

from fsspec import AbstractFileSystem

from crossmodal.storage.uri import check_reachable, is_local, open_fs
from preprocessing.sources.base import SourceFile


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


def is_folder(filesystem: AbstractFileSystem, entry: dict[str, Any]) -> bool:
    """Tell whether an entry of a listing is a folder; of a symbolic link, whether it leads to one."""
    return entry["type"] == "directory" or (bool(entry.get("islink")) and bool(filesystem.isdir(entry["name"])))


def _listed(filesystem: AbstractFileSystem, folder: str) -> list[dict[str, Any]]:
    try:
        return list(filesystem.ls(folder, detail=True))
    except (FileNotFoundError, NotADirectoryError):
        return []
