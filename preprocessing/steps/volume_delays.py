"""Find when volumes began between two samples of the EEG, where its clock and the scanner's are not synchronised.

A marker stands on the nearest sample, or a few beside it, and the gradient artifact does not: at 5 kHz, half a sample is a tenth of
a period of 1 kHz. Here the artifact itself tells how late each volume is, to hundredths of a sample.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import fft

# How far markers may lie from volumes that come at even intervals, s.
_MOST_JITTER_S = 0.01
_COARSE, _ROUNDS, _NEWTON_STEPS = 0.1, 4, 3
# Samples on either side of a stretch that is shifted, where what was cut there rings.
MARGIN = 32


def shifted(x_vt: NDArray[np.float64], delay_v: NDArray[np.float64]) -> NDArray[np.float64]:
    """Delay rows by parts of a sample: a delay of -0.5 gives what lies half a sample after each.

    Parameters
    ----------
    x_vt : float64 array, shape (n_rows, n_times)
        `MARGIN` samples at each end are of no use afterwards.
    delay_v : float64 array, shape (n_rows,)

    Notes
    -----
    A linear phase in frequency, once the line from each row's first sample to its last is off, which ends no row with a step.
    """
    n_times = x_vt.shape[1]
    slope_v = (x_vt[:, -1:] - x_vt[:, :1]) / (n_times - 1)
    line_vt = x_vt[:, :1] + slope_v * np.arange(n_times)
    n_fft = fft.next_fast_len(n_times, real=True)
    turns = np.exp(-2j * np.pi * fft.rfftfreq(n_fft) * delay_v[:, None])
    moved = fft.irfft(fft.rfft(x_vt - line_vt, n_fft) * turns, n_fft)[:, :n_times]
    return np.asarray(moved + line_vt - slope_v * delay_v[:, None])


def stretches(x_t: NDArray[np.float64], onsets: NDArray[np.int64], length: int, margin: int = 0) -> NDArray[np.float64]:
    """Cut what follows each onset, `margin` samples more on either side: shape (n_volumes, length + 2 margin)."""
    samples = onsets[:, None] + np.arange(-margin, length + margin)
    return x_t[np.clip(samples, 0, len(x_t) - 1)]


def even_onsets(onsets: NDArray[np.int64], is_first: NDArray[np.bool_], sfreq: float) -> NDArray[np.float64] | None:
    """Samples between which volumes begin that come at even intervals; None where markers are off by more than jitter.

    Parameters
    ----------
    onsets : int64 array, shape (n_volumes,)
        Samples of markers.
    is_first : bool array, shape (n_volumes,)
        Of each series of volumes that no pause interrupts.
    sfreq : float
        Hz.
    """
    even = onsets.astype(np.float64)
    starts = np.flatnonzero(is_first)
    for start, stop in zip(starts, [*starts[1:], len(onsets)], strict=True):
        if stop - start > 2:
            number = np.arange(stop - start)
            even[start:stop] = np.polyval(np.polyfit(number, even[start:stop], 1), number)
    return even if np.abs(even - onsets).max() <= _MOST_JITTER_S * sfreq else None


def measured_delays(x_ct: NDArray[np.float64], expected: NDArray[np.float64], length: int, reach: float) -> NDArray[np.float64]:
    """Measure how much later than expected volumes begin, by the artifact of some channels.

    Parameters
    ----------
    x_ct : float64 array, shape (n_channels, n_times)
        Raw EEG, in which the artifact is large.
    expected : float64 array, shape (n_volumes,)
        Where volumes begin, samples; their mean is kept.
    length : int
        Of a volume, samples.
    reach : float
        How much later or earlier than expected a volume may begin, samples.

    Returns
    -------
    float64 array, shape (n_volumes,)
        Samples.

    Notes
    -----
    The delay is where the correlation with the mean of all volumes peaks, both being differenced, since EEG is large at low frequencies.
    The mean is taken anew once volumes are aligned.
    """
    onsets = np.round(expected).astype(np.int64)
    taper = np.hanning(length)
    omega = 2 * np.pi * fft.rfftfreq(length)
    spectra = [fft.rfft(np.diff(stretches(x_t, onsets, length + 1), axis=1) * taper).astype(np.complex64) for x_t in x_ct]
    begun = expected - onsets
    late = np.zeros(len(onsets))
    for _ in range(_ROUNDS):
        turns = np.exp(1j * omega * (begun + late)[:, None])
        cross = np.zeros((len(onsets), len(omega)), dtype=np.complex128)
        for spectrum in spectra:
            cross += spectrum * np.conj((spectrum * turns).mean(axis=0))
        cross *= np.exp(1j * omega * begun[:, None])
        late = _peaks(cross, omega, reach)
        late -= late.mean()
    return late


def _peaks(cross: NDArray[np.complex128], omega: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    """Delays, samples, at which cross-correlations, given by their spectra (n_volumes, n_frequencies), are largest."""
    lags = np.arange(-reach, reach + _COARSE / 2, _COARSE)
    peak = lags[(cross @ np.exp(1j * omega[:, None] * lags)).real.argmax(axis=1)]
    for _ in range(_NEWTON_STEPS):
        there = cross * np.exp(1j * omega * peak[:, None])
        slope, bend = -(omega * there.imag).sum(axis=1), -(omega**2 * there.real).sum(axis=1)
        step = np.divide(slope, bend, out=np.zeros_like(peak), where=bend < 0)
        peak = np.clip(peak - np.clip(step, -_COARSE, _COARSE), -reach, reach)
    return peak
