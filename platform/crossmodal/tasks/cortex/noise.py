"""Noise of EEG: activity of the rest of the brain, and of the sensors, white or coloured.

Shape suffixes: c electrode, t time, f frequency.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft
from scipy.signal import lfilter
from scipy.spatial.distance import cdist

from crossmodal.config.simulation import SourceSpectrum
from crossmodal.physics.spectra import aperiodic_density


class FallingNoise:
    """Noise whose power falls as 1 / (1 Hz + f) to an exponent, of variance 1, without what is constant over it.

    Parameters
    ----------
    exponent : float
    sfreq : float
        Hz.
    n_times : int
        Samples; noise is made twice as long and cut, since its ends meet.
    """

    def __init__(self, exponent: float, sfreq: float, n_times: int) -> None:
        frequencies_hz = np.arange(n_times + 1) * (sfreq / (2 * n_times))
        density_f = aperiodic_density(SourceSpectrum(exponent=exponent), sfreq / 2)(frequencies_hz.astype(np.float64))
        density_f[[0, -1]] = 0
        # Noise whose real and imaginary part have standard deviation g transforms to a variance of the sum of g^2 / n_times^2.
        self._gain_f = (np.sqrt(density_f / density_f.sum()) * n_times).astype(np.float32)
        self._n_times = n_times

    def draw(self, n_channels: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw independent channels, shape (n_channels, n_times)."""
        spectrum_cf = rng.standard_normal((n_channels, 2 * (self._n_times + 1)), dtype=np.float32).view(np.complex64)
        drawn_ct: NDArray[np.float32] = irfft(spectrum_cf * self._gain_f, 2 * self._n_times)[:, : self._n_times]
        return drawn_ct


def white_noise(n_channels: int, n_times: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw white noise at the average reference, of variance 1 before that."""
    white_ct = rng.standard_normal((n_channels, n_times), dtype=np.float32)
    white_ct -= white_ct.mean(axis=0)
    return white_ct


class ColouredNoise:
    """Noise of sensors that is correlated over time and over electrodes, at the average reference, of variance 1 before that.

    Parameters
    ----------
    positions_m : ndarray, shape (n_electrodes, 3)
        The correlation of two electrodes falls as exp(-distance / length_m).
    length_m : float
    steps : float
        Samples over which the correlation with what comes later falls to 1/e, as of a first-order autoregression.
    """

    def __init__(self, positions_m: NDArray[np.float64], length_m: float, steps: float) -> None:
        factor_cc = np.linalg.cholesky(np.exp(-cdist(positions_m, positions_m) / length_m))
        self._factor_cc = (factor_cc - factor_cc.mean(axis=0)).astype(np.float32)
        self._step_correlation = float(np.exp(-1 / steps))

    def draw(self, n_times: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw a sample of it, shape (n_electrodes, n_times)."""
        drawn_ct = rng.standard_normal((len(self._factor_cc), n_times), dtype=np.float32)
        # Of variance 1 from the first sample on.
        drawn_ct[:, 1:] *= np.float32(np.sqrt(1 - self._step_correlation**2))
        coloured_ct = lfilter([1.0], [1.0, -self._step_correlation], drawn_ct, axis=1).astype(np.float32)
        coloured_ct = self._factor_cc @ coloured_ct
        return coloured_ct
