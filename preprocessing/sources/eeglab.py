"""EEGLAB recordings."""

from pathlib import Path

import mne
from mne.io import BaseRaw

# MATLAB stores characters as 16-bit units of UTF-16. MNE reads the lower byte of each as UTF-8 unless it is told.
_CODEC = "utf-16-le"


def read_eeglab(path: Path) -> BaseRaw:
    """Open a recording."""
    return mne.io.read_raw_eeglab(path, uint16_codec=_CODEC, verbose="error")
