"""List folders that may not be there."""

from typing import Any

from fsspec import AbstractFileSystem

from preprocessing.sources.base import SourceFile


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
