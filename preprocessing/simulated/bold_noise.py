"""Noise of BOLD images: coloured in time, smooth in space, and slow drifts."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.signal import lfilter

from crossmodal.config.coupling import BoldNoise
from preprocessing.simulated.body import slow_noise

_FWHM = np.sqrt(8 * np.log(2))
# Of slow drifts, in the standard deviation of the Gaussian that smooths them.
_KNOTS = 5


def draw_noise(
    settings: BoldNoise, shape: tuple[int, ...], voxel_mm: float, tr_s: float, percent: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw noise of an image.

    Parameters
    ----------
    shape : tuple of int
        X, Y, Z and volumes.
    percent : float
        Standard deviation of a voxel's noise, without its slow drift.

    Returns
    -------
    float64 array
        Relative change of BOLD. Without its slow drift, its autocorrelation at a lag of k volumes is `coloured_share`
        exp(-k TR / `autocorrelation_s`), and voxels a distance d apart correlate by g + (1 - g) exp(-d^2 / (4 s^2)), with g the
        `global_share` and s the standard deviation of a Gaussian that spans several voxels.
    """
    volumes = shape[3]
    smoothness = settings.fwhm_mm / _FWHM / voxel_mm
    noise = np.zeros(shape)
    # What all voxels share is a field that has one voxel.
    for share, places in ((settings.global_share, (1, 1, 1)), (1 - settings.global_share, shape[:3])):
        coloured, white = (rng.standard_normal((*places, volumes)) for _ in range(2))
        coloured = _autocorrelated(coloured, np.exp(-tr_s / settings.autocorrelation_s))
        field = np.sqrt(settings.coloured_share) * coloured + np.sqrt(1 - settings.coloured_share) * white
        noise += np.sqrt(share) * (_smoothed(field, smoothness) if places == shape[:3] else field)
    return 1e-2 * (percent * noise + settings.slow_percent * _smoothed(_drift(settings, shape, tr_s, rng), smoothness))


def _drift(settings: BoldNoise, shape: tuple[int, ...], tr_s: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Slow noise of each voxel with unit variance, between knots that take less memory than volumes."""
    volumes_s = tr_s * np.arange(shape[3])
    knots_s = np.arange(0, volumes_s[-1] + settings.slow_s / _KNOTS, settings.slow_s / _KNOTS)
    between_kv = np.array([np.interp(volumes_s, knots_s, knot) for knot in np.eye(len(knots_s))])
    return slow_noise(int(np.prod(shape[:3])), len(knots_s), _KNOTS, rng).reshape(*shape[:3], -1) @ between_kv


def _autocorrelated(white: NDArray[np.float64], persistence: float) -> NDArray[np.float64]:
    """AR(1) along the last axis with unit variance from the first sample on."""
    driven = np.sqrt(1 - persistence**2) * white
    driven[..., 0] = white[..., 0]
    filtered: NDArray[np.float64] = lfilter([1.0], [1.0, -persistence], driven, axis=-1)
    return filtered


def _smoothed(field: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Smooth in space by a Gaussian of `width` voxels, wrapping around, and give each voxel its variance again."""
    if width == 0:
        return field
    impulse = np.zeros(field.shape[:3])
    impulse[0, 0, 0] = 1.0
    weights = gaussian_filter(impulse, width, mode="wrap")
    smooth: NDArray[np.float64] = gaussian_filter(field, (width, width, width, 0), mode="wrap")
    return smooth / np.sqrt((weights**2).sum())
