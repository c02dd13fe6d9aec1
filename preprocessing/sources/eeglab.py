"""EEGLAB recordings."""

from pathlib import Path

import mne
from mne.io import BaseRaw

# MATLAB stores characters as 16-bit units of UTF-16. MNE reads the lower byte of each as UTF-8 unless it is told.
_CODEC = "utf-16-le"
_HDF5_BEGINS = b"MATLAB 7.3"


def read_eeglab(path: Path) -> BaseRaw:
    """Open a recording.

    Raises
    ------
    ValueError
        It is stored as MATLAB 7.3 does.
    """
    with path.open("rb") as file:
        if file.read(len(_HDF5_BEGINS)) == _HDF5_BEGINS:
            raise ValueError("it is a MATLAB 7.3 file; save it again in EEGLAB as version 7 or 6")
    return mne.io.read_raw_eeglab(path, uint16_codec=_CODEC, verbose="error")
