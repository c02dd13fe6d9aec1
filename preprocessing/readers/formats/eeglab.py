"""EEGLAB recordings, whatever their chaninfo holds: MNE takes it to be a struct, and does not ask where the nose points."""

import tempfile
import warnings
from pathlib import Path
from typing import Any

import mne
import numpy as np
import scipy.io
from mne.io import BaseRaw

from preprocessing.readers.formats.eeglab_places import place_by_chanlocs
from preprocessing.readers.formats.matlab import read_matlab
from preprocessing.signals.channel_names import some_of

# MATLAB stores characters as 16-bit units of UTF-16. MNE reads the lower byte of each as UTF-8 unless it is told.
_CODEC = "utf-16-le"
# What SciPy puts for the letters of MATLAB's other 8-bit texts.
_NO_LETTER = "\ufffd"


def read_eeglab(path: Path) -> BaseRaw:
    """Open a recording.

    Raises
    ------
    ValueError
        It is stored as MATLAB 7.3 does, or broken.
    """
    stored = read_matlab(path, squeeze_me=True, struct_as_record=False, uint16_codec=_CODEC)
    eeg = vars(stored["EEG"]) if "EEG" in stored else stored
    chaninfo = eeg.get("chaninfo")
    if chaninfo is None or _is_understood(chaninfo):
        raw = mne.io.read_raw_eeglab(path, uint16_codec=_CODEC, verbose="error")
    else:
        raw = _read_without_chaninfo(path)
    place_by_chanlocs(raw, eeg.get("chanlocs", ()), chaninfo)
    lost = sorted({text for text in (*raw.ch_names, *raw.annotations.description.tolist()) if _NO_LETTER in text})
    if lost:
        told = f"has letters that could not be read, so that names may be alike that are not: {some_of(lost)}; save it again in EEGLAB"
        warnings.warn(told, RuntimeWarning, stacklevel=2)
    return raw


def _is_understood(chaninfo: Any) -> bool:
    """Tell whether MNE reads a chaninfo: it is a struct, and what was digitised beside the electrodes says what it is."""
    points = np.atleast_1d(getattr(chaninfo, "nodatchans", ()))
    said = [getattr(point, key, "") for point in points for key in ("type", "description")]
    return hasattr(chaninfo, "_fieldnames") and all(isinstance(text, str) for text in said)


def _read_without_chaninfo(path: Path) -> BaseRaw:
    """Read a copy that has no chaninfo."""
    stored = dict(read_matlab(path, uint16_codec=_CODEC))
    if "EEG" in stored:
        stored = {name: stored["EEG"][name][0, 0] for name in stored["EEG"].dtype.names}
    kept = {name: value for name, value in stored.items() if name != "chaninfo" and not name.startswith("_")}
    if kept["data"].dtype.kind == "U":
        named = path.with_name(str(kept["data"][0]))
        kept["data"] = str((named if named.exists() else path.with_suffix(".fdt")).resolve())
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        scipy.io.savemat(copy, {"EEG": kept}, appendmat=False)
        raw = mne.io.read_raw_eeglab(copy, preload=True, uint16_codec=_CODEC, verbose="error")
        raw.filenames = (path,)
    return raw
