"""EDF and BDF recordings, complete or refused: MNE reads what is there of a truncated one and says nothing."""

from collections.abc import Callable
from pathlib import Path

import mne
from mne.io import BaseRaw

# Of the header: EDF's specification, Kemp et al. (1992), Electroencephalogr. Clin. Neurophysiol. 82:391; BDF differs in bytes a sample.
_SIZE, _RECORDS, _SIGNALS = slice(184, 192), slice(236, 244), slice(252, 256)
_FIXED_BYTES, _BYTES_BEFORE_SAMPLES = 256, 216


def read_edf(path: Path) -> BaseRaw:
    """Open an EDF recording, 2 bytes a sample.

    Raises
    ------
    ValueError
        It holds fewer records than its header says.
    """
    return _read(path, mne.io.read_raw_edf, 2)


def read_bdf(path: Path) -> BaseRaw:
    """Open a BDF recording, 3 bytes a sample.

    Raises
    ------
    ValueError
        It holds fewer records than its header says.
    """
    return _read(path, mne.io.read_raw_bdf, 3)


def _read(path: Path, reader: Callable[..., BaseRaw], sample_bytes: int) -> BaseRaw:
    with path.open("rb") as file:
        fixed = file.read(_FIXED_BYTES)
        n_signals = int(fixed[_SIGNALS])
        file.seek(_FIXED_BYTES + _BYTES_BEFORE_SAMPLES * n_signals)
        samples = sum(int(file.read(8)) for _ in range(n_signals))
    # -1 where the recorder did not say.
    stated = int(fixed[_RECORDS])
    there = (path.stat().st_size - int(fixed[_SIZE])) // (sample_bytes * samples)
    if there < stated:
        raise ValueError(f"it is truncated and holds {there} of {stated} records")
    return reader(path, verbose="error")
