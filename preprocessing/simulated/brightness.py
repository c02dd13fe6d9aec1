"""How bright each voxel of a simulated brain is on average."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from crossmodal.config.simulation import EegFmriSimulation

_BRAIN, _AIR = 1000.0, 30.0
# The anatomy of a brain, about as coarse as gyri and ventricles: standard deviation of the Gaussian that smooths it, mm, and the share
# of its variance that is a person's own.
_WIDTH_MM, _OWN_SHARE = 6.0, 0.2


def draw_brightness(simulation: EegFmriSimulation, brain: NDArray[np.bool_], label: str) -> NDArray[np.float64]:
    """Draw the mean of each voxel of the person `label`, shape (X, Y, Z).

    Inside the brain it is a log-normal field, most of which all people share, or one value where `anatomy_percent` is None.
    """
    brightness = np.where(brain, _BRAIN, _AIR)
    if simulation.anatomy_percent is None:
        return brightness
    common, own = (
        _pattern(brain, simulation.voxel_mm, np.random.default_rng(seeds))
        for seeds in ([simulation.seed, 6], [simulation.seed, int(label), 6])
    )
    variance = np.log1p((1e-2 * simulation.anatomy_percent) ** 2)
    pattern = np.sqrt(1 - _OWN_SHARE) * common + np.sqrt(_OWN_SHARE) * own
    brightness[brain] *= np.exp(np.sqrt(variance) * pattern[brain] - variance / 2)
    return brightness


def _pattern(brain: NDArray[np.bool_], voxel_mm: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Smooth noise whose mean over the brain is 0 and whose deviation is 1."""
    smooth: NDArray[np.float64] = gaussian_filter(rng.standard_normal(brain.shape), _WIDTH_MM / voxel_mm, mode="wrap")
    return (smooth - smooth[brain].mean()) / smooth[brain].std()
