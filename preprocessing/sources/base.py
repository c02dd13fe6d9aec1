"""What a source of recordings hands on: entries that can be named without opening them."""

from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from crossmodal.config import Config


class SourceFile(Config):
    """One file of a source, and what changes when its content does.

    Attributes
    ----------
    version : str
        The ETag on an object store, the modification time (s) on a disk; empty when the file is missing.
    """

    uri: str
    size_bytes: int
    version: str

    @classmethod
    def listed(cls, filesystem: fsspec.AbstractFileSystem, details: dict[str, Any]) -> "SourceFile":
        """Describe a file by its entry in a listing of `filesystem`."""
        uri = details["name"] if isinstance(filesystem, LocalFileSystem) else filesystem.unstrip_protocol(details["name"])
        version = details["ETag"].strip('"') if "ETag" in details else repr(details["mtime"])
        return cls(uri=uri, size_bytes=details["size"], version=version)

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.uri.rpartition("/")[2]


class Entry(Config):
    """One recording of a source.

    Attributes
    ----------
    files : tuple of SourceFile
        The first opens the recording; the others are parts of it (splits of a FIF, data beside a header).
    events, channels : SourceFile, optional
        BIDS sidecars that apply to it.
    """

    subject: str
    run: str
    files: tuple[SourceFile, ...]
    events: SourceFile | None = None
    channels: SourceFile | None = None

    @property
    def label(self) -> str:
        """What tables call this recording."""
        return f"sub-{self.subject} run {self.run}"

    @property
    def uri(self) -> str:
        """Where the recording is opened."""
        return self.files[0].uri

    @property
    def size_bytes(self) -> int:
        """Size of the recording without its sidecars."""
        return sum(file.size_bytes for file in self.files)

    @property
    def sidecars(self) -> tuple[SourceFile, ...]:
        """The sidecars that exist."""
        return tuple(file for file in (self.events, self.channels) if file)
