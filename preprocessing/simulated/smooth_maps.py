"""Maps that cover a brain, as those of a probabilistic atlas do: smooth, overlapping, and without knowledge of what happens where."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from crossmodal.physics.geometry import farthest_points

# As many as the smallest of the DiFuMo atlases has.
_MOST_MAPS = 64


def smooth_maps(brain: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Weigh each voxel by Gaussians around evenly spread centres, which add up to one inside the brain.

    Parameters
    ----------
    brain : bool array, shape (X, Y, Z)
        Of voxels that are as long as they are wide.

    Returns
    -------
    float32 array, shape (X, Y, Z, n_maps)
        64 maps, or one a voxel where there are fewer.
    """
    place_xk = np.argwhere(brain).astype(np.float64)
    centre_sk = place_xk[farthest_points(place_xk, min(_MOST_MAPS, len(place_xk)))]
    apart_ss = cdist(centre_sk, centre_sk) + np.diag(np.full(len(centre_sk), np.inf))
    # Neighbours meet at half of their weight.
    width = np.median(apart_ss.min(axis=0)) / np.sqrt(8 * np.log(2))
    weight_xs = np.exp(-0.5 * np.square(cdist(place_xk, centre_sk) / width))
    maps = np.zeros((*brain.shape, len(centre_sk)), dtype=np.float32)
    maps[brain] = weight_xs / weight_xs.sum(axis=1, keepdims=True)
    return maps
