"""A quick look at what a recording will be once it is filtered, by which artifacts are found before a filter spreads them.

The drift is told by running medians, which no artifact shorter than half their length moves far: taken off, unlike by a filter, it leaves
artifacts where they are. The look is at a lower rate, so that it costs a fraction of what filters do.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from mne.filter import create_filter
from mne.io import BaseRaw
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.signal import oaconvolve

from crossmodal.config.preprocessing import Preprocessing
from preprocessing.signals.spans import continuous_pieces
from preprocessing.steps.segments import samples_of

# The slowest that a look may be: the power line of either frequency lies below half of it, and is stopped by the low-pass.
_LEAST_RATE_HZ = 130.0
# Of the low-pass: so much faster is a look at the least.
_RATE_OVER_LOWPASS = 2.5
_MEDIAN_OF_S = 0.25
# A running median is as long as so many periods of the high-pass, which then takes about as much, and at least a few seconds.
_PERIODS_OF_HIGHPASS, _LEAST_DRIFT_S = 0.9, 2.75
# In medians of the distance from the running median: what is farther off is no drift.
_MOST_FROM_DRIFT = 6.0
_KINDS = ("eeg", "mag", "grad")


@dataclass(frozen=True)
class Look:
    """Sensors without drifts, line noise and what the low-pass takes, at a lower rate.

    Attributes
    ----------
    x_cb : float32 array, shape (C, n_blocks)
        Means over blocks of samples; V, T or T/m. EEG is at its average where settings ask for it.
    kinds : tuple of str, length C
        'eeg', 'mag' or 'grad'.
    block_s : float
        Length of a block.
    """

    x_cb: NDArray[np.float32]
    kinds: tuple[str, ...]
    block_s: float

    @classmethod
    def at(cls, raw: BaseRaw, settings: Preprocessing) -> Self:
        """Look at the sensors of a recording that are not marked bad.

        Parameters
        ----------
        raw : BaseRaw
            Loaded, not filtered yet.
        settings : Preprocessing
            The band and the reference that the recording will have.
        """
        types = dict(zip(raw.ch_names, raw.get_channel_types(), strict=True))
        rows = [index for index, name in enumerate(raw.ch_names) if types[name] in _KINDS and name not in raw.info["bads"]]
        kinds = tuple(types[raw.ch_names[index]] for index in rows)
        sfreq = raw.info["sfreq"]
        length = max(int(sfreq / max(_LEAST_RATE_HZ, _RATE_OVER_LOWPASS * (settings.lowpass_hz or sfreq))), 1)
        rate_hz, n_blocks = sfreq / length, len(raw.times) // length
        taps = _lowpass(rate_hz, settings.lowpass_hz)
        mean_over = np.full(length, 1 / length)
        x_cb = np.zeros((len(rows), n_blocks), dtype=np.float32)
        pieces = [samples_of(piece, len(raw.times), sfreq) for piece in continuous_pieces(raw)]
        for x_b, row in zip(x_cb, rows, strict=True):
            means_b = raw._data[row, : n_blocks * length].reshape(n_blocks, length) @ mean_over
            for first, last in pieces:
                # A block across a boundary belongs to neither piece, and stays zero.
                inside = slice(-(-first // length), last // length)
                x_b[inside] = means_b[inside] - _drift(means_b[inside], rate_hz, settings.highpass_hz)
        if settings.line_noise:
            _subtract_line(x_cb, rate_hz, settings.line_noise.line_hz)
        if taps is not None:
            x_cb = oaconvolve(x_cb, taps[None], mode="same", axes=1)
        is_eeg = np.array(kinds) == "eeg"
        if settings.average_reference and is_eeg.any():
            x_cb[is_eeg] -= x_cb[is_eeg].mean(axis=0)
        return cls(x_cb, kinds, length / sfreq)


def _lowpass(rate_hz: float, lowpass_hz: float | None) -> NDArray[np.float32] | None:
    if lowpass_hz is None or lowpass_hz >= rate_hz / 2:
        return None
    return np.asarray(create_filter(None, rate_hz, None, lowpass_hz, verbose="error"), dtype=np.float32)


def _subtract_line(x_cb: NDArray[np.float32], rate_hz: float, line_hz: float) -> None:
    """Take the line and its harmonics off each second by itself, in place: a notch would ring where an artifact is."""
    length = round(rate_hz)
    phase_tk = 2 * np.pi / rate_hz * np.arange(length)[:, None] * line_hz * np.arange(1, int(0.99 * rate_hz / 2 / line_hz) + 1)
    basis_tk, _ = np.linalg.qr(np.concatenate([np.sin(phase_tk), np.cos(phase_tk)], axis=1).astype(np.float32))
    for start in range(0, x_cb.shape[1] - length + 1, length):
        x_cb[:, start : start + length] -= (x_cb[:, start : start + length] @ basis_tk) @ basis_tk.T


def _drift(x_b: NDArray[np.float64], rate_hz: float, highpass_hz: float | None) -> NDArray[np.float64]:
    """The level of a piece by running medians, shape (n_blocks,); one level where there is no high-pass."""
    n_together = max(round(_MEDIAN_OF_S * rate_hz), 1)
    n_medians = len(x_b) // n_together
    if highpass_hz is None or n_medians < 2:
        return np.full(len(x_b), np.median(x_b) if len(x_b) else 0.0)
    medians = np.median(x_b[: n_medians * n_together].reshape(n_medians, n_together), axis=1)
    half = round(max(_PERIODS_OF_HIGHPASS / highpass_hz, _LEAST_DRIFT_S) / _MEDIAN_OF_S / 2)
    from_drift = np.abs(medians - np.median(_around(medians, half), axis=1))
    is_usual = from_drift <= _MOST_FROM_DRIFT * np.median(from_drift)
    # A running median beside an artifact is off where the drift is steep; a mean over what is left is not.
    usual = np.interp(np.arange(n_medians), np.flatnonzero(is_usual), medians[is_usual])
    return np.interp(np.arange(len(x_b)), (np.arange(n_medians) + 0.5) * n_together - 0.5, _around(usual, half).mean(axis=1))


def _around(values: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """Neighbours of each value, so many on either side, shape (n, 2 half + 1); beyond the ends what is mirrored point by point."""
    half = min(half, len(values) - 1)
    return sliding_window_view(np.pad(values, half, mode="reflect", reflect_type="odd"), 2 * half + 1)
