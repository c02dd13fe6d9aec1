"""The MATLAB files that ds000116 keeps its EEG in: one matrix, a row a channel, and stimuli and responses in the last two."""

from pathlib import Path

import mne
import numpy as np
from mne.io import BaseRaw
from numpy.typing import NDArray

from crossmodal.config import UserError
from preprocessing.readers.formats.matlab import read_matlab

_SFREQ = 1000.0
_MICROVOLT = 1e-6
# The matrix of each file, and its rows in their order, as the dataset's README has them.
_ROWS = {
    "EEG_noGA.mat": ("data_noGA", [("pair", "eeg", 43), ("EOG", "eog", 2), ("ECG", "ecg", 2)]),
    "EEG_rereferenced.mat": ("data_reref", [("E", "eeg", 34), ("ECG", "ecg", 1)]),
}
ODDBALL_FILES = tuple(_ROWS)
_STIMULI = {125: "auditory standard", 150: "auditory target", 225: "visual standard", 250: "visual target"}
_RESPONSES = {100: "response"}


def read_oddball(path: Path, called: str) -> BaseRaw:
    """Read a recording with its stimuli and responses as annotations; its electrodes have no positions.

    Parameters
    ----------
    path : Path
        Named as one of `ODDBALL_FILES`.
    called : str
        What sentences call it.

    Raises
    ------
    UserError
        It holds another matrix.
    """
    key, rows = _ROWS[path.name]
    names = [f"{prefix}{number:02d}" for prefix, _, count in rows for number in range(1, count + 1)]
    types = [kind for _, kind, count in rows for _ in range(count)]
    data_ct = np.asarray(read_matlab(path, variable_names=[key])[key], dtype=np.float64)
    if data_ct.ndim != 2 or len(data_ct) != len(names) + 2:
        raise UserError(f"{called}: {key} has shape {data_ct.shape}, not {len(names) + 2} rows; replace the file or leave it out")
    info = mne.create_info(names, _SFREQ, types)
    raw = mne.io.RawArray(data_ct[: len(names)] * _MICROVOLT, info, verbose="error")
    found = [*_steps(data_ct[-2], _STIMULI), *_steps(data_ct[-1], _RESPONSES)]
    raw.set_annotations(mne.Annotations([onset for onset, _ in found], 0.0, [text for _, text in found]))
    return raw


def _steps(codes_t: NDArray[np.float64], named: dict[int, str]) -> list[tuple[float, str]]:
    """Onsets, s, and names of the codes that a line rises to."""
    rounded = np.rint(codes_t).astype(np.int64)
    starts = np.flatnonzero(np.diff(rounded, prepend=rounded[:1])) if len(rounded) else np.empty(0, dtype=np.int64)
    return [(start / _SFREQ, named[int(rounded[start])]) for start in starts if int(rounded[start]) in named]
