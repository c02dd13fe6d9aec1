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
from scipy.ndimage import median_filter, uniform_filter1d
from scipy.signal import oaconvolve

from crossmodal.config.preprocessing import Preprocessing
from preprocessing.signals.spans import continuous_pieces
from preprocessing.steps.segments import runs, samples_of

# The slowest that a look may be: the power line of either frequency lies below half of it, and is stopped by the low-pass.
_LEAST_RATE_HZ = 130.0
# Of the low-pass: so much faster is a look at the least.
_RATE_OVER_LOWPASS = 2.5
_MEDIAN_OF_S = 0.25
# A running median is as long as so many periods of the high-pass, which then takes about as much, and at least a few seconds.
_PERIODS_OF_HIGHPASS, _LEAST_DRIFT_S = 0.9, 2.75
# In medians of the distance from the running median: what is farther off is no drift.
_MOST_FROM_DRIFT = 6.0
# Stretches of so many medians differ by a step where they do so by so many usual differences, and are so little unlike in themselves.
_STRETCH, _LEAST_STEP, _MOST_UNLIKE = 5, 10.0, 0.33
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
        mean_over, means_cb = np.full(length, 1 / length), np.zeros((len(rows), n_blocks))
        for means_b, row in zip(means_cb, rows, strict=True):
            np.matmul(raw._data[row, : n_blocks * length].reshape(n_blocks, length), mean_over, out=means_b)
        x_cb = np.zeros((len(rows), n_blocks), dtype=np.float32)
        for first, last in (samples_of(piece, len(raw.times), sfreq) for piece in continuous_pieces(raw)):
            # A block across a boundary belongs to neither piece, and stays zero.
            inside = slice(-(-first // length), last // length)
            x_cb[:, inside] = means_cb[:, inside] - _drift(means_cb[:, inside], rate_hz, settings.highpass_hz)
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


def _drift(x_cb: NDArray[np.float64], rate_hz: float, highpass_hz: float | None) -> NDArray[np.float64]:
    """The level of a piece by running medians, (C, n_blocks), with the steps that it makes; one level where there is no high-pass."""
    n_together = 2 * int(_MEDIAN_OF_S * rate_hz / 2) + 1
    n_medians = x_cb.shape[1] // n_together
    if not x_cb.size:
        return x_cb
    if highpass_hz is None or n_medians < 2:
        return np.median(x_cb, axis=1, keepdims=True)
    together_cmt = x_cb[:, : n_medians * n_together].reshape(-1, n_medians, n_together)
    medians_cm = np.partition(together_cmt, n_together // 2, axis=2)[..., n_together // 2]
    # Steps would be ramps in a mean, and artifacts beside them none for a median.
    steps_cm = _steps(medians_cm)
    medians_cm -= steps_cm
    half = round(max(_PERIODS_OF_HIGHPASS / highpass_hz, _LEAST_DRIFT_S) / _MEDIAN_OF_S / 2)
    from_drift_cm = np.abs(medians_cm - _running_median(medians_cm, half))
    is_usual_cm = from_drift_cm <= _MOST_FROM_DRIFT * np.median(from_drift_cm, axis=1, keepdims=True)
    for medians_m, is_usual_m in zip(medians_cm, is_usual_cm, strict=True):
        medians_m[~is_usual_m] = np.interp(np.flatnonzero(~is_usual_m), np.flatnonzero(is_usual_m), medians_m[is_usual_m])
    # A running median beside an artifact is off where the drift is steep; a mean over what is left is not.
    level_cm = steps_cm + _running_mean(medians_cm, half)
    centres = (np.arange(n_medians) + 0.5) * n_together - 0.5
    return np.array([np.interp(np.arange(x_cb.shape[1]), centres, level_m) for level_m in level_cm])


def _steps(medians_cm: NDArray[np.float64]) -> NDArray[np.float64]:
    """What steps of the level, as of an electrode that slips, add up to, (C, n_medians).

    A step lies between two stretches whose own values differ far less from their medians than these do from one another, and than other
    stretches' do. A drift, however steep, and what is back within half a stretch, make none.
    """
    steps_cm = np.zeros_like(medians_cm)
    n_stretches = medians_cm.shape[1] - _STRETCH + 1
    if n_stretches <= _STRETCH:
        return steps_cm
    stretches_csm = sliding_window_view(medians_cm, _STRETCH, axis=1)
    middle_cs = _running_median(medians_cm, _STRETCH // 2)[:, _STRETCH // 2 :][:, :n_stretches]
    unlike_cs = np.abs(stretches_csm - middle_cs[..., None]).mean(axis=2)
    # From each stretch to the next that shares nothing with it.
    step_cs = middle_cs[:, _STRETCH:] - middle_cs[:, :-_STRETCH]
    share_cs = (unlike_cs[:, _STRETCH:] + unlike_cs[:, :-_STRETCH]) / np.maximum(np.abs(step_cs), np.finfo(float).tiny)
    far_cs = np.abs(step_cs) > _LEAST_STEP * np.median(np.abs(step_cs), axis=1, keepdims=True)
    is_step_cs = far_cs & (share_cs < _MOST_UNLIKE)
    for channel in np.flatnonzero(is_step_cs.any(axis=1)):
        for first, last in runs(is_step_cs[channel]):
            sharpest = first + int(np.argmin(share_cs[channel, first:last]))
            steps_cm[channel, sharpest + _STRETCH :] += step_cs[channel, sharpest]
    return steps_cm


def _running_median(x_cm: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """Median of each value and so many on either side."""
    padded, half = _mirrored(x_cm, half)
    # One row after the other: what is mirrored keeps them apart, and along one dimension it is ten times as fast.
    return median_filter(padded.ravel(), 2 * half + 1).reshape(padded.shape)[:, half : half + x_cm.shape[1]]


def _running_mean(x_cm: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """Mean of each value and so many on either side."""
    padded, half = _mirrored(x_cm, half)
    return uniform_filter1d(padded, 2 * half + 1, axis=1)[:, half : half + x_cm.shape[1]]


def _mirrored(x_cm: NDArray[np.float64], half: int) -> tuple[NDArray[np.float64], int]:
    """With so many values more beyond either end, or as many as there are, mirrored point by point; and how many."""
    half = min(half, x_cm.shape[1] - 1)
    return np.pad(x_cm, ((0, 0), (half, half)), mode="reflect", reflect_type="odd"), half
