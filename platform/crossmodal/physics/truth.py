"""What a simulated recording is made of, in closed form: the ground from which ceilings are computed."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossmodal.physics.spectra import PowerDensity


@dataclass(frozen=True)
class SubjectTruth:
    """Second-order truth of one subject's stationary signals at the recorded sensors.

    The recording is a sum of independent stationary Gaussian components, each F w(t) with the sensor-space factor F and
    independent unit processes w of one power density, and of white noise independent between channels. EEG is at the
    recording's own reference, before any preprocessing.

    Attributes
    ----------
    names : tuple of str
        All EEG and MEG channels; EOG, ECG and unused ones are left out.
    types : tuple of str
        'eeg', 'mag' or 'grad' a channel.
    factors : tuple of ndarray, each (n_channels, rank)
        One a component, in V, T or T/m.
    spectra : tuple of PowerDensity
        One a component, 1/Hz.
    noise_variance_density : ndarray, shape (n_channels,)
        One-sided density of the sensor noise from 0 to sfreq / 2, in the channel's unit squared per Hz.
    sfreq : float
        Sampling rate of the recording, Hz.
    """

    names: tuple[str, ...]
    types: tuple[str, ...]
    factors: tuple[NDArray[np.float64], ...]
    spectra: tuple[PowerDensity, ...]
    noise_variance_density: NDArray[np.float64]
    sfreq: float

    def signal_cross_spectrum(self, frequencies_hz: NDArray[np.float64]) -> NDArray[np.float64]:
        """One-sided cross-spectral density of the sources at the sensors.

        Parameters
        ----------
        frequencies_hz : ndarray, shape (n_freqs,)
            From 0 to sfreq / 2; beyond it there is nothing. Integrating over them gives the covariance.

        Returns
        -------
        ndarray, shape (n_freqs, n_channels, n_channels)
            Real, since the head conducts without delay; units of both channels per Hz.
        """
        density_cf = np.array([density(frequencies_hz) for density in self.spectra])
        covariance_ckk = np.array([factor @ factor.T for factor in self.factors])
        return np.einsum("cf,cij->fij", density_cf, covariance_ckk, optimize=True)

    def cross_spectrum(self, frequencies_hz: NDArray[np.float64]) -> NDArray[np.float64]:
        """One-sided cross-spectral density of sources and noise, as `signal_cross_spectrum`."""
        spectrum_fkk = self.signal_cross_spectrum(frequencies_hz)
        diagonal = np.arange(len(self.names))
        within_band = np.asarray(frequencies_hz) <= self.sfreq / 2
        spectrum_fkk[:, diagonal, diagonal] += within_band[:, None] * self.noise_variance_density
        return spectrum_fkk

    def save(self, path: Path) -> None:
        """Write an .npz that needs no pickle to read."""
        arrays: dict[str, Any] = {
            "names": np.array(self.names),
            "types": np.array(self.types),
            "spectra": np.array([density.to_array() for density in self.spectra]),
            "noise_variance_density": self.noise_variance_density,
            "sfreq": self.sfreq,
        }
        arrays |= {f"factor_{index}": factor for index, factor in enumerate(self.factors)}
        np.savez(path, **arrays)

    @classmethod
    def load(cls, path: Path) -> "SubjectTruth":
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            spectra = tuple(PowerDensity(*map(float, row)) for row in arrays["spectra"])
            factors = tuple(arrays[f"factor_{index}"] for index in range(len(spectra)))
            names, types = _strings(arrays["names"]), _strings(arrays["types"])
            return cls(names, types, factors, spectra, arrays["noise_variance_density"], float(arrays["sfreq"]))


def truth_path(root: Path, subject: str) -> Path:
    """Where a simulated cohort keeps the truth of one subject."""
    return root / "derivatives" / "truth" / f"sub-{subject}" / f"sub-{subject}_truth.npz"


def _strings(array: Iterable[str]) -> tuple[str, ...]:
    return tuple(str(value) for value in array)
