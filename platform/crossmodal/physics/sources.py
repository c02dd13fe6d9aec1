"""Stationary Gaussian cortical sources: how they covary in space and what they look like through a lead field."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from crossmodal.config.simulation import SourceSpectrum
from crossmodal.physics.spectra import PowerDensity, alpha_density, aperiodic_density

# Alpha amplitude falls off around the occipital poles and keeps a little everywhere.
_ALPHA_SPREAD_M = 0.035
_ALPHA_FLOOR = 0.1
_RANK_TOLERANCE = 1e-12


@dataclass(frozen=True)
class SourceComponent:
    """Sources with one spectrum: their covariance over dipoles (n_dipoles, n_dipoles) in A^2 m^2 and their density in 1/Hz."""

    covariance: NDArray[np.float64]
    density: PowerDensity


def source_components(
    positions_m: NDArray[np.float64], correlation_length_m: float, moment_am: float, spectrum: SourceSpectrum, band_limit_hz: float
) -> tuple[SourceComponent, ...]:
    """Describe ongoing activity: an aperiodic component everywhere and alpha at the back of the head.

    Parameters
    ----------
    positions_m : ndarray, shape (n_dipoles, 3)
        Dipoles in head coordinates (x right, y front, z up).
    correlation_length_m : float
        Distance at which the correlation of two dipoles has fallen to exp(-1/2); 0 makes them independent.
    moment_am : float
        Rms aperiodic moment of a dipole, A m.
    spectrum : SourceSpectrum
        Its `alpha_power_ratio` is mean alpha power over mean aperiodic power, over dipoles.
    band_limit_hz : float
        Nothing lies above it; half the sampling rate of the recording.

    Returns
    -------
    tuple of SourceComponent
        Independent of one another; their covariances times densities add up.
    """
    correlation = spatial_correlation(positions_m, correlation_length_m)
    components = [SourceComponent(moment_am**2 * correlation, aperiodic_density(spectrum, band_limit_hz))]
    if spectrum.alpha_power_ratio > 0:
        weights = _alpha_weights(positions_m)
        power = spectrum.alpha_power_ratio * moment_am**2
        components.append(SourceComponent(power * weights[:, None] * correlation * weights, alpha_density(spectrum, band_limit_hz)))
    return tuple(components)


def spatial_correlation(positions_m: NDArray[np.float64], correlation_length_m: float) -> NDArray[np.float64]:
    """Correlation exp(-d^2 / (2 l^2)) of dipoles a distance d apart, shape (n_dipoles, n_dipoles)."""
    if correlation_length_m == 0:
        return np.eye(len(positions_m))
    return np.exp(-cdist(positions_m, positions_m, "sqeuclidean") / (2 * correlation_length_m**2))


def sensor_factor(lead_field: NDArray[np.float64], covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Square root of what sources contribute to the sensor covariance.

    Parameters
    ----------
    lead_field : ndarray, shape (n_channels, n_dipoles)
        V/(A m), T/(A m) or T/(A m^2) a row.
    covariance : ndarray, shape (n_dipoles, n_dipoles)
        A^2 m^2.

    Returns
    -------
    ndarray, shape (n_channels, rank)
        F with F F^T = L Q L^T, in SI units of the channels. Channels are balanced before the eigendecomposition: volts and
        teslas differ by a factor of 1e8.
    """
    sensor_covariance = lead_field @ covariance @ lead_field.T
    scale = np.sqrt(np.diag(sensor_covariance))
    scale[scale == 0] = 1.0
    values, vectors = np.linalg.eigh(sensor_covariance / np.outer(scale, scale))
    kept = values > _RANK_TOLERANCE * values[-1]
    return scale[:, None] * vectors[:, kept] * np.sqrt(values[kept])


def _alpha_weights(positions_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Alpha amplitude a dipole, mean square one, highest at the hindmost dipoles of each hemisphere."""
    weights = np.full(len(positions_m), _ALPHA_FLOOR)
    for side in (positions_m[:, 0] < 0, positions_m[:, 0] >= 0):
        if side.any():
            hemisphere = positions_m[side]
            pole = hemisphere[hemisphere[:, 1].argmin()]
            weights[side] += np.exp(-((hemisphere - pole) ** 2).sum(axis=1) / (2 * _ALPHA_SPREAD_M**2))
    return weights / np.sqrt(np.mean(weights**2))
