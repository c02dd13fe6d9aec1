"""Bring files to this machine."""

from pathlib import Path

from crossmodal.config import UserError
from crossmodal.config.preprocessing import Recordings
from crossmodal.storage.atomic import told_clearly
from crossmodal.storage.uri import is_local, open_fs, store_told_clearly
from preprocessing.sources.base import SourceFile


def stage(file: SourceFile, recordings: Recordings, scratch: Path) -> Path:
    """Copy a remote file to `scratch`; a local one is read in place, and whoever reads it says when it is missing.

    Raises
    ------
    UserError
        There is no such remote file, or the store refuses it.
    """
    if is_local(file.uri):
        return Path(file.uri)
    filesystem, path = open_fs(file.uri, recordings.anonymous, recordings.endpoint_url)
    staged = scratch / file.name
    try:
        # What a store refuses must not be told of the disk.
        with told_clearly(scratch), store_told_clearly(file.uri):
            filesystem.get_file(path, str(staged))
    except FileNotFoundError:
        raise UserError(f"{file.uri}: no such file; check the path") from None
    return staged
