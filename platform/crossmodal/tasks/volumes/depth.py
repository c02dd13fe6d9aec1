"""How far the regions of an image lie from the scalp."""

import numpy as np
from numpy.typing import NDArray

from crossmodal.physics.scalp import distance_from_scalp_m


def from_scalp_m(where: NDArray[np.int32] | NDArray[np.float32], affine: NDArray[np.float64], n_regions: int) -> NDArray[np.float64]:
    """Mean distance of each region's voxels from the template's scalp, those of a map by their weight, shape (n_regions,).

    A mean over voxels says of a region with a part in each hemisphere how deep these lie; its centroid is in neither.

    Parameters
    ----------
    where : int array, shape (X, Y, Z), or float array, shape (X, Y, Z, n_regions)
        Numbers of regions, from 1, 0 where there is none; or weights.
    affine : float64 array, shape (4, 4)
        From voxels to mm of the template's space.

    Returns
    -------
    float64 array, shape (n_regions,)
        m; NaN of a region without a voxel, or with a quarter or more of it outside the head, as those of another space have.
    """
    inside = where.any(axis=-1) if where.ndim == 4 else where > 0
    distance_x = distance_from_scalp_m(1e-3 * (np.argwhere(inside) @ affine[:3, :3].T + affine[:3, 3]))
    is_known_x = ~np.isnan(distance_x)

    def sums(value_x: NDArray[np.float64]) -> NDArray[np.float64]:
        if where.ndim == 4:
            return np.asarray(value_x @ np.abs(where[inside]), dtype=np.float64)
        return np.asarray(np.bincount(where[inside] - 1, value_x, n_regions), dtype=np.float64)

    known, whole = sums(is_known_x.astype(np.float64)), sums(np.ones(len(distance_x)))
    is_there = known > 0.75 * whole
    total = sums(np.where(is_known_x, distance_x, 0.0))
    return np.where(is_there, total / np.where(is_there, known, 1.0), np.nan)
