"""What tells virtual recordings from real ones: a description, and where a format drops it, gaps in the spectrum."""

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.special import chdtrc, gammainc

# How the description begins.
VIRTUAL = "virtual recording predicted by crossmodal"
# Where predictions are weak and no device has lines; for a low-pass of 40 Hz, and in proportion below.
_GAPS_HZ = np.array([21.37, 24.89, 27.63, 30.71, 33.47])
_LOWPASS_HZ = 40.0
_WIDTH_HZ = 0.4
_SCALES = (1.0, 0.5, 0.25)
# Of a gap's width, from its middle: what has to be empty, and its surroundings that are not.
_INSIDE, _NEAR, _FAR = 0.12, 1.0, 3.5
_LEAST_GAPS, _LEAST_BINS = 4, 6
# By chance one recording in as many is taken for a virtual one.
_RARE = 1e-10
_LEAST_POWER = 1e-9


def leave_gaps(y_st: NDArray[np.float64], sfreq: float, lowpass_hz: float | None) -> NDArray[np.float64]:
    """Take five bands of 0.4 Hz out of each sensor, shape (n_sensors, T): of a prediction, about a hundredth of its power or less.

    Parameters
    ----------
    sfreq, lowpass_hz : float
        Sampling rate and the low-pass of what was predicted, Hz.
    """
    reach_hz = min(lowpass_hz or sfreq / 2, sfreq / 2, _LOWPASS_HZ)
    scale = next((scale for scale in _SCALES if _GAPS_HZ[-1] * scale < reach_hz), _SCALES[-1])
    n_times = y_st.shape[1]
    frequencies_hz = fft.rfftfreq(n_times, 1 / sfreq)
    distance_hz = np.abs(frequencies_hz[:, None] - scale * _GAPS_HZ).min(axis=1)
    gap = distance_hz <= scale * _WIDTH_HZ / 2
    return np.stack([fft.irfft(np.where(gap, 0, fft.rfft(y_t)), n_times) for y_t in y_st])


def has_gaps(data_tc: NDArray[np.floating], sfreq: float) -> bool:
    """Tell whether a signal has the gaps of virtual recordings, shape (T, C).

    Power in the middle of each gap is compared with that on its weaker side. Both follow gamma distributions, and the chances of so little
    are combined by Fisher's method (1925, Statistical methods for research workers).
    """
    deviation_tc = data_tc - data_tc.mean(axis=0, dtype=np.float64)
    scale_c = deviation_tc.std(axis=0)
    y_tc = deviation_tc / np.where(scale_c > 0, scale_c, 1) * np.hanning(len(data_tc))[:, None]
    n = fft.next_fast_len(len(y_tc), real=True)
    power_f = (np.abs(fft.rfft(y_tc, n, axis=0)) ** 2).sum(axis=1)
    frequencies_hz = fft.rfftfreq(n, 1 / sfreq)
    return any(_chance(power_f, frequencies_hz, scale) < _RARE for scale in _SCALES)


def _chance(power_f: NDArray[np.float64], frequencies_hz: NDArray[np.float64], scale: float) -> float:
    """Chance that power is so low in all gaps of a scale at once."""
    chances = list[float]()
    width_hz = scale * _WIDTH_HZ
    for gap_hz in scale * _GAPS_HZ:
        from_gap = (frequencies_hz - gap_hz) / width_hz
        inside = power_f[np.abs(from_gap) <= _INSIDE]
        # On the slope of a filter, a middle has more than its weaker side, and in a gap less.
        sides = [power_f[(side * from_gap > _NEAR) & (side * from_gap < _FAR)] for side in (-1, 1)]
        around = min(sides, key=lambda side_f: side_f.mean() if len(side_f) else 0.0)
        there = len(inside) and len(around) >= _LEAST_BINS and around.mean() > _LEAST_POWER * power_f.max()
        if there and frequencies_hz[-1] > gap_hz + _FAR * width_hz:
            shape = around.mean() ** 2 / around.var()
            # Cumulative, of a gamma distribution with a mean of one.
            chances.append(float(gammainc(shape, shape * inside.mean() / around.mean())))
    if len(chances) < _LEAST_GAPS:
        return 1.0
    return float(chdtrc(2 * len(chances), -2 * np.log(np.maximum(chances, 1e-300)).sum()))
