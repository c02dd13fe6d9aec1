"""How deep a place lies in the template head."""

import numpy as np
from mne.transforms import apply_trans
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from crossmodal.physics.cortex import template_head
from crossmodal.physics.geometry import fit_sphere
from crossmodal.physics.head import relative_radius, upper_scalp


def distance_from_scalp_m(places_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of places from the nearest point of the scalp above face and neck, where electrodes stand, shape (n,); NaN outside the head.

    Parameters
    ----------
    places_m : float64 array, shape (n, 3)
        In fsaverage's surface coordinates. Those of MNI152 are 2 to 3 mm beside them, which ranks of distances hardly feel.
    """
    head = template_head()
    in_head_m = apply_trans(np.linalg.inv(head.head_to_mri), places_m)
    upper_m = upper_scalp(head.scalp_m)
    centre_m, _ = fit_sphere(upper_m)
    distance_m = cKDTree(upper_m).query(in_head_m)[0]
    return np.where(relative_radius(in_head_m, head.scalp_m, centre_m) < 1, distance_m, np.nan)
