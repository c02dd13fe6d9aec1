"""Notch the power line and its harmonics out of the continuous recording.

A FIR notch takes a stated band and leaves the rest. MNE's `spectrum_fit` takes a sinusoid at the nearest bin of a Fourier transform
instead, which misses a line that drifts between bins or windows.
"""

import numpy as np
from mne.filter import create_filter
from mne.io import BaseRaw
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.config.cleaning import LineNoise
from crossmodal.config.preprocessing import Preprocessing
from preprocessing.signals.spans import Span, continuous_pieces

VERSION = 1


def remove_line_noise(raw: BaseRaw, settings: Preprocessing, called: str) -> list[Span]:
    """Notch in place at zero phase, each piece between boundaries of acquisition by itself.

    Parameters
    ----------
    raw : BaseRaw
        Loaded.
    settings : Preprocessing
        The line's frequency; the low-pass tells which harmonics are left to it.
    called : str
        What sentences call the recording.

    Returns
    -------
    list of Span
        Pieces shorter than the filter, and half its length at both ends of the others, where it rings: a line that is cut off there has
        no second half to cancel against. They must be masked.

    Raises
    ------
    UserError
        Every piece is shorter than the filter, or the recording's rate does not hold the line.
    """
    if settings.line_noise is None:
        return []
    harmonics_hz = _harmonics_hz(raw.info["sfreq"], settings.line_noise, settings.lowpass_hz)
    if not len(harmonics_hz):
        raise UserError(
            f"{called}: sampled at {raw.info['sfreq']:g} Hz, it holds no line of {settings.line_noise.line_hz:g} Hz;"
            " leave preprocessing.line_noise out"
        )
    length_s = _filter_length_s(raw.info["sfreq"], harmonics_hz, settings.line_noise)
    pieces = continuous_pieces(raw)
    longest_s = max(piece.duration_s for piece in pieces)
    if longest_s <= length_s:
        raise UserError(
            f"{called}: its {longest_s:.2f} s without interruption are not longer than the notch's {length_s:.2f} s; set"
            f" preprocessing.line_noise.transition_hz to more than {3.3 / longest_s:.2g}, or leave the recording out"
        )
    width_hz, transition_hz = settings.line_noise.width_hz, 2 * settings.line_noise.transition_hz
    raw.notch_filter(harmonics_hz, notch_widths=width_hz, trans_bandwidth=transition_hz, n_jobs=1, verbose="error")
    return [span for piece in pieces for span in _ringing(piece, length_s)]


def _harmonics_hz(sfreq: float, settings: LineNoise, lowpass_hz: float | None) -> NDArray[np.float64]:
    reach_hz = settings.width_hz / 2 + settings.transition_hz
    highest_hz = sfreq / 2 - reach_hz
    if lowpass_hz:
        # MNE's low-pass has stopped a quarter, and at least 2 Hz, above its edge.
        highest_hz = min(highest_hz, lowpass_hz + max(lowpass_hz / 4, 2.0))
    n_harmonics = int(max(highest_hz, 0.0) / settings.line_hz)
    return settings.line_hz * np.arange(1, n_harmonics + 1, dtype=np.float64)


def _filter_length_s(sfreq: float, harmonics_hz: NDArray[np.float64], settings: LineNoise) -> float:
    reach_hz = settings.width_hz / 2 + settings.transition_hz
    transition_hz = np.full(len(harmonics_hz), settings.transition_hz)
    taps = create_filter(
        None, sfreq, harmonics_hz + reach_hz, harmonics_hz - reach_hz, "auto", transition_hz, transition_hz, verbose="error"
    )
    return len(taps) / sfreq


def _ringing(piece: Span, length_s: float) -> list[Span]:
    if piece.duration_s <= length_s:
        return [piece]
    return [Span(piece.start_s, piece.start_s + length_s / 2), Span(piece.stop_s - length_s / 2, piece.stop_s)]
