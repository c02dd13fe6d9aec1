"""Filter the continuous recording, EEG and MEG alike, without shifting it in time."""

from collections.abc import Sequence

import numpy as np
from mne.filter import create_filter
from mne.io import BaseRaw

from crossmodal.config import UserError
from crossmodal.config.preprocessing import Preprocessing
from preprocessing.signals.spans import Span, continuous_pieces

VERSION = 1


def filter_recording(raw: BaseRaw, settings: Preprocessing, called: str, names: Sequence[str] | None = None) -> list[Span]:
    """Band-pass all channels, or some, in place with MNE's default FIR: Hamming window, applied once at zero phase.

    Each piece between boundaries of acquisition is filtered by itself.

    Returns
    -------
    list of Span
        Pieces shorter than the filter, which are all edge and must be masked.

    Raises
    ------
    UserError
        The low-pass is not below half the recording's rate, or every piece is shorter than the filter; the sentence says which high-pass
        fits.
    """
    if (settings.highpass_hz is None and settings.lowpass_hz is None) or (names is not None and not names):
        return []
    sfreq = raw.info["sfreq"]
    if settings.lowpass_hz and settings.lowpass_hz >= sfreq / 2:
        raise UserError(f"{called}: sampled at {sfreq:g} Hz, so preprocessing.lowpass_hz must be below {sfreq / 2:g}")
    length_s = _filter_length_s(sfreq, settings.highpass_hz, settings.lowpass_hz)
    pieces = continuous_pieces(raw)
    longest_s = max(piece.duration_s for piece in pieces)
    if longest_s < length_s:
        lengths = f"its {longest_s:.2f} s without interruption are shorter than the filter's {length_s:.2f} s"
        raise UserError(f"{called}: {lengths}; {_advice(longest_s, sfreq, settings)}")
    raw.filter(settings.highpass_hz, settings.lowpass_hz, picks="all" if names is None else list(names), n_jobs=1, verbose="error")
    return [piece for piece in pieces if piece.duration_s < length_s]


def _filter_length_s(sfreq: float, highpass_hz: float | None, lowpass_hz: float | None) -> float:
    return len(create_filter(None, sfreq, highpass_hz, lowpass_hz, verbose="error")) / sfreq


def _advice(available_s: float, sfreq: float, settings: Preprocessing) -> str:
    """Say which high-pass fits `available_s`, rounded up to a tenth of a hertz."""
    if settings.highpass_hz:
        highest_hz = settings.lowpass_hz or sfreq / 2
        for highpass_hz in np.arange(np.ceil(settings.highpass_hz * 10), np.ceil(highest_hz * 10)) / 10:
            if _filter_length_s(sfreq, highpass_hz, settings.lowpass_hz) <= available_s:
                return f"set preprocessing.highpass_hz to {highpass_hz:g} or more, or leave the recording out"
    return "leave the recording out, or do not filter"
