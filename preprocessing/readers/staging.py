"""Bring files to this machine."""

from pathlib import Path

from crossmodal.config import UserError
from crossmodal.config.preprocessing import Recordings
from crossmodal.storage.uri import fetch_file, is_local
from preprocessing.readers.entry import SourceFile


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
