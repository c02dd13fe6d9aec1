"""Measure what is left of the scanner's gradients in corrected EEG."""

import numpy as np
from numpy.typing import NDArray
from scipy import fft

# The power line and its harmonics may lie at multiples of the volumes' rate, too.
_LINES_HZ, _LINE_WIDTH_HZ = (50.0, 60.0), 1.0


def residual_rms(x_ct: NDArray[np.float64], begins: NDArray[np.float64], sfreq: float) -> float:
    """Root mean square over channels of what stands out at multiples of the rate of volumes.

    Parameters
    ----------
    x_ct : float64 array, shape (n_channels, n_times)
        Corrected EEG.
    begins : float64 array, shape (n_volumes,)
        Where volumes begin, samples.
    sfreq : float
        Hz.

    Returns
    -------
    float
        In the unit of the data; 0 where nothing stands out.

    Notes
    -----
    What is left repeats with the volumes, if slowly changing, so that its power lies nearer to the multiples than to the middle between
    two, where there is only EEG. The line's frequencies are left out.
    """
    inside = slice(int(begins[0]), int(begins[-1]))
    frequency_hz = fft.rfftfreq(inside.stop - inside.start, 1 / sfreq)
    turns = frequency_hz * float(np.median(np.diff(begins))) / sfreq
    # From the middle before the first multiple to the middle after the last one, so that EEG's slope evens out.
    used = (turns >= 0.5) & (turns < np.floor(turns[-1]) - 0.5)
    for line_hz in _LINES_HZ:
        used &= np.abs(frequency_hz - line_hz * np.round(frequency_hz / line_hz)) > _LINE_WIDTH_HZ
    near = np.abs(turns - np.round(turns)) < 0.25
    power = 0.0
    for x_t in x_ct:
        spectrum = np.abs(fft.rfft(x_t[inside])) ** 2
        power += max(0.0, float(spectrum[used & near].sum() - spectrum[used & ~near].sum())) / len(x_ct)
    return float(np.sqrt(2 * power) / (inside.stop - inside.start))
