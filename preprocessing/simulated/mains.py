"""Hum of the power line: one course for all sensors, as strong in each as its leads and place make it."""

import numpy as np
from numpy.typing import NDArray

# As strong as in a poor room: rms of the fundamental, V, T and T/m. Harmonic h is weaker by h^2.
_RMS = {"eeg": 5e-6, "mag": 5e-13, "grad": 1e-11}
# The grid's frequency wanders by some mHz within seconds, its strength by some percent.
_FREQUENCY_SPREAD_HZ, _STRENGTH_SPREAD = 0.005, 0.05
_WANDERING_S = 10.0


def mains_hum(
    types: tuple[str, ...], mains_hz: float, n_times: int, sfreq: float, room: np.random.Generator, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw the hum at every sensor, V, T or T/m, shape (n_channels, n_times).

    Parameters
    ----------
    types : tuple of str
        'eeg', 'mag', 'grad'.
    mains_hz : float
        Frequency of the fundamental; harmonics below half of `sfreq` are added.
    room : Generator
        Draws how much of it reaches each sensor.
    rng : Generator
        Draws its course.
    """
    frequency_hz = mains_hz + _FREQUENCY_SPREAD_HZ * _wandering(n_times, sfreq, rng)
    phase_t = 2 * np.pi * np.cumsum(frequency_hz) / sfreq + rng.uniform(0, 2 * np.pi)
    strength_t = 1 + _STRENGTH_SPREAD * _wandering(n_times, sfreq, rng)
    rms_c = np.array([_RMS[kind] for kind in types])
    hum_ct = np.zeros((len(types), n_times))
    for harmonic in range(1, int(sfreq / 2 / (mains_hz + 1)) + 1):
        gain_c = rms_c * room.standard_normal(len(types)) / harmonic**2
        hum_ct += np.outer(gain_c, np.sqrt(2) * strength_t * np.cos(harmonic * phase_t))
    return hum_ct


def _wandering(n_times: int, sfreq: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """A slow course of unit variance, a straight line between values that are drawn every ten seconds."""
    n_knots = int(n_times / sfreq / _WANDERING_S) + 2
    return np.interp(np.arange(n_times) / sfreq, _WANDERING_S * np.arange(n_knots), rng.standard_normal(n_knots))
