"""CTF recordings: folders of a header, samples, and what else an acquisition leaves."""

from pathlib import Path

import mne
import numpy as np
from mne.io import BaseRaw

_CLOCK = "SCLK01"


def read_ctf(folder: Path) -> BaseRaw:
    """Open a recording; its channels are named without the number of the system that made it, which differs from site to site.

    Trials are stored one after the other, also where time passed between them: where the system's clock jumps, an annotation says so.
    """
    raw = mne.io.read_raw_ctf(folder, clean_names=True, verbose="error")
    if _CLOCK in raw.ch_names:
        steps = np.diff(raw.get_data(picks=[_CLOCK])[0])
        after = np.flatnonzero(np.abs(steps - np.median(steps)) > np.median(steps) / 2) + 1
        raw.annotations.append(after / raw.info["sfreq"], 0.0, "EDGE boundary")
    return raw


def without_system(name: str) -> str:
    """The name that `read_ctf` gives a channel, however a table was written: 'MLC11-1706' is 'MLC11'."""
    return name.partition("-")[0]
