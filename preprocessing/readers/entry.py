"""What a source of recordings hands on: entries that can be named without opening them."""

import contextlib
import os
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from crossmodal.config import Config
from crossmodal.storage.uri import file_details, open_fs


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
        if details.get("islink"):
            # What a link leads to may change while the link does not; one to nothing is listed as it is.
            with contextlib.suppress(OSError):
                target = os.stat(uri)
                details = details | {"size": target.st_size, "mtime": target.st_mtime}
        version = details["ETag"].strip('"') if "ETag" in details else repr(details["mtime"])
        return cls(uri=uri, size_bytes=details["size"], version=version)

    @classmethod
    def missing(cls, uri: str) -> "SourceFile":
        """Describe a file that should be there and is not: what needs it says so, and stops no other recording."""
        return cls(uri=uri, size_bytes=0, version="")

    @classmethod
    def at(cls, uri: str, anonymous: bool = False, endpoint_url: str | None = None) -> "SourceFile":
        """Describe the file at a URI.

        Raises
        ------
        UserError
            Its store cannot be reached, or refuses the credentials.
        """
        try:
            details = file_details(uri, anonymous, endpoint_url)
        except FileNotFoundError:
            return cls.missing(uri)
        # A folder of an object store has neither time nor ETag.
        return cls.missing(uri) if details["type"] == "directory" else cls.listed(open_fs(uri, anonymous, endpoint_url)[0], details)

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.uri.rpartition("/")[2]

    @property
    def staged_name(self) -> str:
        """What a copy of the file is called: CTF's readers want its folder, too, and BTi calls files alike in each."""
        return "/".join(self.uri.split("/")[-2:])


class BoldFiles(Config):
    """The BOLD image recorded with an EEG, and what is known of it.

    Attributes
    ----------
    sidecar : SourceFile, optional
        JSON with the repetition time; where a layout has none the image's header tells it.
    motion, transform : SourceFile, optional
        Motion parameters, and the matrix to a common space.
    """

    image: SourceFile
    sidecar: SourceFile | None = None
    motion: SourceFile | None = None
    transform: SourceFile | None = None

    @property
    def files(self) -> tuple[SourceFile, ...]:
        """All files of the image."""
        return tuple(file for file in (self.image, self.sidecar, self.motion, self.transform) if file)


class Entry(Config):
    """One recording of a source.

    Attributes
    ----------
    files : tuple of SourceFile
        The first opens the recording; the others are parts of it (splits of a FIF, data beside a header, what
        else a CTF or BTi folder holds, KIT's markers and digitised points).
    events, channels : SourceFile, optional
        BIDS sidecars that apply to it.
    electrodes, coordsystem : SourceFile, optional
        Where its electrodes are, and in which coordinates; one that must be there and is not is listed as missing.
    bold : BoldFiles, optional
        What a scanner recorded meanwhile.
    calibration, crosstalk : SourceFile, optional
        What Maxwell filtering needs of the MEG system.
    empty_room : SourceFile, optional
        What the same sensors recorded of nobody, on the same day where there is one.
    session : str
        On which day or occasion; empty where the source tells none.
    notes : tuple of str
        Sentences that the run should say of it whatever is in its files.
    flaw : str
        What its listing found wrong with it, in a sentence; empty where nothing is. It is told when the recording is opened, so that it
        stops no other.
    """

    subject: str
    run: str
    files: tuple[SourceFile, ...]
    events: SourceFile | None = None
    channels: SourceFile | None = None
    electrodes: SourceFile | None = None
    coordsystem: SourceFile | None = None
    bold: BoldFiles | None = None
    calibration: SourceFile | None = None
    crosstalk: SourceFile | None = None
    empty_room: SourceFile | None = None
    session: str = ""
    notes: tuple[str, ...] = ()
    flaw: str = ""

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
        return sum(file.size_bytes for file in self.files) + (self.bold.image.size_bytes if self.bold else 0)

    @property
    def sidecars(self) -> tuple[SourceFile, ...]:
        """The sidecars that exist."""
        return tuple(file for file in (self.events, self.channels, self.electrodes, self.coordsystem) if file)

    @property
    def all_files(self) -> tuple[SourceFile, ...]:
        """Everything that is read."""
        return (*self.files, *self.sidecars, *(self.bold.files if self.bold else ()))
