"""List folders that may not be there."""

from typing import Any

from fsspec import AbstractFileSystem

from preprocessing.sources.base import SourceFile


def folders(filesystem: AbstractFileSystem, folder: str) -> list[str]:
    """Paths of a folder's folders, in order; none where it is missing."""
    return sorted(entry["name"] for entry in _listed(filesystem, folder) if entry["type"] == "directory")


def files(filesystem: AbstractFileSystem, folder: str) -> list[SourceFile]:
    """A folder's files by name; none where it is missing."""
    found = [SourceFile.listed(filesystem, entry) for entry in _listed(filesystem, folder) if entry["type"] == "file"]
    return sorted(found, key=lambda file: file.name)


def _listed(filesystem: AbstractFileSystem, folder: str) -> list[dict[str, Any]]:
    try:
        return list(filesystem.ls(folder, detail=True))
    except (FileNotFoundError, NotADirectoryError):
        return []
