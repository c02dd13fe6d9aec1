"""EDF and BDF recordings, complete and in volts, or refused: MNE reads what is there of a truncated or interrupted one and says nothing."""

import math
import os
import re
import warnings
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import mne
import numpy as np
from mne.io import BaseRaw

from preprocessing.readers.text import decode, is_guessed
from preprocessing.signals.units import volts_of

# Of the header: EDF's specification, Kemp et al. (1992), Electroencephalogr. Clin. Neurophysiol. 82:391, and EDF+'s, Kemp and Olivan
# (2003), Clin. Neurophysiol. 114:1755; BDF differs in bytes a sample.
_SIZE, _KIND, _RECORDS, _DURATION, _SIGNALS = slice(184, 192), slice(192, 236), slice(236, 244), slice(244, 252), slice(252, 256)
_FIXED_BYTES, _LABEL_BYTES, _TRANSDUCER_BYTES, _UNIT_BYTES, _BYTES_BEFORE_SAMPLES = 256, 16, 80, 8, 216
# Signals that are none, as MNE tells them.
_NOTES = (b"EDF Annotations", b"BDF Annotations")
# A record of EDF+ says when it begins in the first annotation of the first signal that holds any.
_BEGINS = re.compile(rb"([+-]\d+(?:\.\d*)?)\x14")
_LEAST_GAP_S = 1e-3
# Onset, duration and texts, as Kemp and Olivan (2003), Clin. Neurophysiol. 114:1755, lay them out.
_SEVERAL_LINES = re.compile(rb"([+-]\d+\.?\d*)(?:\x15(\d+\.?\d*))?\x14([^\x00]*\n[^\x00]*)\x14\x00")
# One without text says when the recording begins.
_BEGINS_WITHOUT_TEXT = re.compile(rb"([+-]\d+\.?\d*)\x14\x14")


def read_edf(path: Path) -> BaseRaw:
    """Open an EDF recording, 2 bytes a sample, or a BDF one, 3; channels whose unit is no voltage stay as they are stored.

    Raises
    ------
    ValueError
        It holds fewer records than its header says, or time passed between two, of which MNE knows nothing.
    """
    reader, sample_bytes = (mne.io.read_raw_bdf, 3) if path.suffix.lower() == ".bdf" else (mne.io.read_raw_edf, 2)
    with path.open("rb") as file:
        fixed = file.read(_FIXED_BYTES)
        n_signals = int(fixed[_SIGNALS])
        labels = [file.read(_LABEL_BYTES) for _ in range(n_signals)]
        file.seek(_FIXED_BYTES + _BYTES_BEFORE_SAMPLES * n_signals)
        signal_bytes = [sample_bytes * int(file.read(8)) for _ in range(n_signals)]
        # -1 where the recorder did not say.
        stated, there = int(fixed[_RECORDS]), (path.stat().st_size - int(fixed[_SIZE])) // sum(signal_bytes)
        if there < stated:
            raise ValueError(f"it is truncated and holds {there} of {stated} records")
        notes = [number for number, label in enumerate(labels) if label.strip().endswith(b"Annotations")]
        if b"+D" in fixed[_KIND] and notes:
            firsts = range(int(fixed[_SIZE]) + sum(signal_bytes[: notes[0]]), path.stat().st_size, sum(signal_bytes))
            _check_continuous([_begins_s(file, first, signal_bytes[notes[0]]) for first in firsts[:there]], float(fixed[_DURATION]))
        lost = [each for number in notes for each in _annotations_of_several_lines(_stored(file, int(fixed[_SIZE]), signal_bytes, number))]
    # Latin-1 gives a letter to every byte, so that none is lost before each text is read by itself.
    raw = reader(path, encoding="latin-1", verbose="error")
    raw.rename_channels(_decoded(raw.ch_names))
    raw.annotations.rename(_decoded(raw.annotations.description.tolist()))
    for onset_s, duration_s, text in lost:
        raw.annotations.append(onset_s + raw.first_time, duration_s, text)
    stored = raw._raw_extras[0]
    # MNE knows uV, mV and V, and takes for volts whatever else is written.
    gains = [volts_of(unit) or 1.0 for unit in edf_units(path)]
    stored["units"] = np.array([1.0 if signal in stored["stim_channel_idxs"] else gain for signal, gain in enumerate(gains)])
    return raw


def edf_units(path: Path) -> list[str]:
    """Physical dimensions of the channels in order, as they are written."""
    with path.open("rb") as file:
        n_signals = int(file.read(_FIXED_BYTES)[_SIGNALS])
        labels = [file.read(_LABEL_BYTES).strip() for _ in range(n_signals)]
        file.seek(_TRANSDUCER_BYTES * n_signals, os.SEEK_CUR)
        units = [file.read(_UNIT_BYTES).decode("latin-1").strip() for _ in range(n_signals)]
    return [unit for label, unit in zip(labels, units, strict=True) if label not in _NOTES]


def _decoded(texts: Iterable[str]) -> dict[str, str]:
    stored = {text: text.encode("latin-1") for text in set(texts) if not text.isascii()}
    if any(map(is_guessed, stored.values())):
        told = "labels or annotations are no UTF-8, and are read as Windows does (cp1252): letters with accents may be others"
        warnings.warn(told, RuntimeWarning, stacklevel=2)
    return {text: decode(encoded) for text, encoded in stored.items()}


def _stored(file: BinaryIO, first: int, signal_bytes: Sequence[int], signal: int) -> bytes:
    """What all records hold of a signal."""
    at = first + sum(signal_bytes[:signal])
    file.seek(0, os.SEEK_END)
    parts = []
    for begin in range(at, file.tell(), sum(signal_bytes)):
        file.seek(begin)
        parts.append(file.read(signal_bytes[signal]))
    return b"".join(parts)


def _begins_s(file: BinaryIO, first: int, n_bytes: int) -> float:
    file.seek(first)
    told = _BEGINS.match(file.read(n_bytes))
    return float(told[1]) if told else math.nan


def _check_continuous(begins_s: list[float], duration_s: float) -> None:
    for number, (before_s, after_s) in enumerate(pairwise(begins_s), start=1):
        if abs(after_s - before_s - duration_s) > _LEAST_GAP_S:
            raise ValueError(f"it is discontinuous: {after_s - before_s - duration_s:g} s are missing after {number * duration_s:g} s")


def _annotations_of_several_lines(stored: bytes) -> list[tuple[float, float, str]]:
    """Onset, s from the first sample, duration, s, and text, on one line, of annotations of several.

    Parameters
    ----------
    stored : bytes
        What the signal of annotations holds, of all records.
    """
    begins = _BEGINS_WITHOUT_TEXT.match(stored)
    begin_s = float(begins[1]) if begins else 0.0
    return [
        (float(onset) - begin_s, float(duration or 0), " ".join(decode(text).split()))
        for onset, duration, texts in _SEVERAL_LINES.findall(stored)
        for text in texts.split(b"\x14")
        if text.strip()
    ]
