"""Noise of EEG and MEG: activity of the rest of the brain, and of the sensors, white or coloured.

Shape suffixes: c channel, t time, f frequency, l latent variable of background activity.
"""

from collections.abc import Mapping

import mne
import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft
from scipy.signal import lfilter
from scipy.spatial.distance import cdist

from crossmodal.config.cortex import Noise
from crossmodal.config.simulation import SourceSpectrum
from crossmodal.physics.spectra import aperiodic_density

# Where MNE keeps the normal of a magnetometer's coil, and the direction in which a planar gradiometer takes the slope.
_SENSITIVE = {"mag": slice(9, 12), "grad": slice(3, 6)}


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


def white_noise(n_channels: int, n_times: int, rng: np.random.Generator, referenced: bool = True) -> NDArray[np.float32]:
    """Draw white noise of variance 1, then referred to the average where that is asked for."""
    white_ct = rng.standard_normal((n_channels, n_times), dtype=np.float32)
    if referenced:
        white_ct -= white_ct.mean(axis=0)
    return white_ct


class ColouredNoise:
    """Noise of sensors that is correlated over time and over channels, of variance 1 before EEG is referred to the average.

    Parameters
    ----------
    positions_m : ndarray, shape (n_channels, 3)
        The correlation of two channels falls as exp(-distance / length_m).
    length_m : float
    steps : float
        Samples over which the correlation with what comes later falls to 1/e, as of a first-order autoregression.
    directions_c3 : ndarray, shape (n_channels, 3), optional
        Of MEG, unit vectors along which sensors see the field or its slope: the correlation is multiplied by the cosine between them.
        Without, channels are electrodes.
    """

    def __init__(
        self, positions_m: NDArray[np.float64], length_m: float, steps: float, directions_c3: NDArray[np.float64] | None = None
    ) -> None:
        correlation_cc = np.exp(-cdist(positions_m, positions_m) / length_m)
        if directions_c3 is None:
            factor_cc = np.linalg.cholesky(correlation_cc)
            self._factor_cc = (factor_cc - factor_cc.mean(axis=0)).astype(np.float32)
        else:
            self._factor_cc = np.linalg.cholesky(correlation_cc * (directions_c3 @ directions_c3.T)).astype(np.float32)
        self._step_correlation = float(np.exp(-1 / steps))

    def draw(self, n_times: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw a sample of it, shape (n_channels, n_times)."""
        drawn_ct = rng.standard_normal((len(self._factor_cc), n_times), dtype=np.float32)
        # Of variance 1 from the first sample on.
        drawn_ct[:, 1:] *= np.float32(np.sqrt(1 - self._step_correlation**2))
        coloured_ct = lfilter([1.0], [1.0, -self._step_correlation], drawn_ct, axis=1).astype(np.float32)
        coloured_ct = self._factor_cc @ coloured_ct
        return coloured_ct


class HeadNoise:
    """Noise of one head, type of channels by type: background activity, which all of them see, and noise of their own sensors.

    Parameters
    ----------
    settings : Noise
    info : mne.Info
        Of the sensors.
    backgrounds_cl : dict of str to ndarray, shape (n_channels, n_latent)
        As `SimulatedHead` gives them.
    sfreq : float
        Hz.
    n_times : int
        Samples that are drawn.
    """

    def __init__(
        self, settings: Noise, info: mne.Info, backgrounds_cl: Mapping[str, NDArray[np.float64]], sfreq: float, n_times: int
    ) -> None:
        of_sensors = 1 - settings.background
        self._shares = (settings.background, of_sensors * settings.coloured, of_sensors * (1 - settings.coloured))
        self._factors_cl = {kind: factor_cl.astype(np.float32) for kind, factor_cl in backgrounds_cl.items()}
        self._background = FallingNoise(settings.background_exponent, sfreq, n_times)
        self._coloured = {
            kind: ColouredNoise(positions_m, settings.coloured_length_m, settings.coloured_time_s * sfreq, directions_c3)
            for kind, (positions_m, directions_c3) in _places_by_type(info).items()
        }
        self._n_times = n_times

    def draw(self, rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
        """Draw channels of each type, (n_channels, n_times), of variance 1 before referencing; the first type draws as it does alone."""
        drawn_ct, latent_lt = {}, np.empty((0, self._n_times), dtype=np.float32)
        for (kind, factor_cl), stream in zip(self._factors_cl.items(), (rng, *rng.spawn(len(self._factors_cl) - 1)), strict=True):
            own_lt = self._background.draw(factor_cl.shape[1] - len(latent_lt), stream)
            latent_lt = np.concatenate([latent_lt, own_lt])
            parts_ct = (
                factor_cl @ latent_lt,
                self._coloured[kind].draw(self._n_times, stream),
                white_noise(len(factor_cl), self._n_times, stream, referenced=kind == "eeg"),
            )
            drawn_ct[kind] = np.zeros_like(parts_ct[0])
            for share, part_ct in zip(self._shares, parts_ct, strict=True):
                drawn_ct[kind] += np.float32(np.sqrt(share)) * part_ct
        return drawn_ct


def _places_by_type(info: mne.Info) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64] | None]]:
    """Positions of channels of each type, m, and of MEG the directions that they are sensitive along, both (n_channels, 3)."""
    types = np.array(info.get_channel_types())
    locs = {kind: np.array([info["chs"][pick]["loc"] for pick in np.flatnonzero(types == kind)]) for kind in dict.fromkeys(types.tolist())}
    return {kind: (loc[:, :3], loc[:, _SENSITIVE[kind]] if kind in _SENSITIVE else None) for kind, loc in locs.items()}
