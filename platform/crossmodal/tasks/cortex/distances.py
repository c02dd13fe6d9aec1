"""How far from the truth activity is predicted, in space.

Shapes: b samples, r regions, t times. Truth and prediction are moments of regions, and weigh by their mean square over times. Distances are
in m, NaN where truth or prediction is zero throughout.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import eye_array, kron, vstack

from crossmodal.physics.cortical_regions import CorticalRegions
from crossmodal.tasks.cortex.metrics import Floats, active_regions, power_map, ratio


def peak_error_m(truth_brt: Floats, prediction_brt: Floats, regions: CorticalRegions) -> NDArray[np.float64]:
    """Distance from where the activity is strongest to the middle of the region that is predicted to be strongest.

    Activity of a region is spread evenly over it, so that the distance is the mean over all vertices of the truly strongest region. Even
    the right region therefore has an error, which grows with its size: nobody told where in it the activity is.

    Returns
    -------
    ndarray, shape (n_samples,)
    """
    powers_br = [power_map(moments_brt) for moments_brt in (truth_brt, prediction_brt)]
    true_b, predicted_b = (power_br.argmax(axis=1) for power_br in powers_br)
    defined_b = np.all([power_br.any(axis=1) for power_br in powers_br], axis=0)
    return np.where(defined_b, regions.distances_to_centres_m[true_b, predicted_b], np.nan)


def spatial_dispersion_m(truth_brt: Floats, prediction_brt: Floats, centres_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Root mean square distance of predicted power from the nearest active region, between centres.

    Source: Molins et al. (2008), "Quantification of the benefit from integrating MEG and EEG data in minimum l2-norm estimation",
    NeuroImage 42:1069-1077; with several sources, as Sun et al. (2022), PNAS 119:e2201128119.

    Returns
    -------
    ndarray, shape (n_samples,)
    """
    active_br, power_br, squared_rr = active_regions(truth_brt), power_map(prediction_brt), _between(centres_m) ** 2
    # Of a sample at a time, since regions by regions of all samples are large.
    nearest_br = np.array([squared_rr[:, active_r].min(axis=1, initial=np.inf) for active_r in active_br])
    nearest_br[~active_br.any(axis=1)] = np.nan
    return np.sqrt(ratio((power_br * nearest_br).sum(axis=1), power_br.sum(axis=1), otherwise=np.nan))


def earth_movers_distance_m(truth_brt: Floats, prediction_brt: Floats, centres_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean distance over which predicted power is moved to become the true map, both taken as shares, between centres of regions.

    It is solved exactly, as a linear programme for each sample, which takes some ms. Source: Rubner, Tomasi and Guibas (2000), "The earth
    mover's distance as a metric for image retrieval", Int. J. Comput. Vis. 40:99-121.

    Returns
    -------
    ndarray, shape (n_samples,)
    """
    between_rr = _between(centres_m)
    return np.array([_moved(*powers_r, between_rr) for powers_r in zip(power_map(truth_brt), power_map(prediction_brt), strict=True)])


def _moved(truth_r: NDArray[np.float64], predicted_r: NDArray[np.float64], between_rr: NDArray[np.float64]) -> float:
    if not (truth_r.any() and predicted_r.any()):
        return float("nan")
    active_r = truth_r > 0
    from_to = between_rr[active_r]
    n_active, n_regions = from_to.shape
    # What leaves each active region, then what arrives in each region; the last of these follows from the others.
    leaving, arriving = kron(eye_array(n_active), np.ones((1, n_regions))), kron(np.ones((1, n_active)), eye_array(n_regions))
    shares = np.concatenate([truth_r[active_r] / truth_r.sum(), predicted_r / predicted_r.sum()])
    solved = linprog(from_to.ravel(), A_eq=vstack([leaving, arriving], format="csr")[:-1], b_eq=shares[:-1], method="highs")
    assert solved.success, solved.message
    return float(solved.fun)


def _between(points_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of each point from each, shape (n_points, n_points)."""
    return np.linalg.norm(points_m[:, None] - points_m, axis=2)
