"""EEGLAB recordings, whose events tell where data were cut out."""

from pathlib import Path

import mne
from mne.io import BaseRaw

from preprocessing.sources.timeline import mark_boundaries


def read_eeglab(path: Path) -> BaseRaw:
    """Open a recording; its events of the type 'boundary' become boundaries of acquisition, which MNE only warns of."""
    raw = mne.io.read_raw_eeglab(path, verbose="error")
    mark_boundaries(raw, "boundary")
    return raw
