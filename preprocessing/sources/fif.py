"""FIF recordings, complete or refused: MNE reads those that end between two buffers of samples, and says nothing."""

import struct
from pathlib import Path

import mne
from mne.io import BaseRaw
from mne.io.constants import FIFF

# Of a tag: its kind, type, size, and where the next one begins, 0 where that is behind it and -1 where there is none.
TAG = struct.Struct(">iIii")


def read_fif(path: Path) -> BaseRaw:
    """Open a recording with its splits; raw data with internal active shielding, too: an empty room needs no SSS, and the run says so.

    Raises
    ------
    ValueError
        A file ends before its blocks do.
    """
    raw = mne.io.read_raw_fif(path, allow_maxshield="yes", verbose="error")
    for part in raw.filenames:
        # One that is compressed and ends early cannot be decompressed.
        if part is not None and Path(part).suffix != ".gz":
            _check_whole(Path(part))
    return raw


def _check_whole(path: Path) -> None:
    """Follow the tags to the end, as a whole file has as many ends of blocks as starts."""
    left_open, at = 0, 0
    with path.open("rb") as file:
        while len(header := file.read(TAG.size)) == TAG.size:
            kind, _, size, following = TAG.unpack(header)
            left_open += (kind == FIFF.FIFF_BLOCK_START) - (kind == FIFF.FIFF_BLOCK_END)
            at = max(following, at + TAG.size + size)
            if following == -1:
                break
            file.seek(at)
    if left_open:
        raise ValueError(f"{path.name} is truncated: it ends before its data do")
