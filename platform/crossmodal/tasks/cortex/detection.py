"""How well predicted activity tells active regions from silent ones.

Shapes: b samples, r regions, t times. A region is active in a sample where its true moment is not zero throughout; how strong it is
predicted to be is its mean square over times.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from crossmodal.tasks.cortex.metrics import Floats, active_regions, power_map, ratio
from crossmodal.transforms.otsu import above_otsu


def active_auc(truth_brt: Floats, prediction_brt: Floats) -> NDArray[np.float64]:
    """Probability that an active region is predicted to be stronger than an inactive one; ties count half.

    This is the area under the receiver operating characteristic of the predicted mean square over times, by its equality with the
    Mann-Whitney statistic (Hanley and McNeil 1982, Radiology 143:29-36).

    Returns
    -------
    ndarray, shape (n_samples,)
        NaN where all regions are active, or none is.
    """
    active_br = active_regions(truth_brt)
    rank_br = rankdata(power_map(prediction_brt), axis=1)
    n_active_b, n_inactive_b = active_br.sum(axis=1), (~active_br).sum(axis=1)
    above_b = (rank_br * active_br).sum(axis=1) - n_active_b * (n_active_b + 1) / 2
    return ratio(above_b, n_active_b * n_inactive_b, otherwise=np.nan)


def average_precision(truth_brt: Floats, prediction_brt: Floats) -> NDArray[np.float64]:
    """Area under the curve of precision over recall, as a sum over steps: regions that tie are taken in together.

    Each active region adds the precision among all regions that are predicted to be as strong as it, or stronger (scikit-learn's
    `average_precision_score`). Predictions that tell nothing have the share of active regions.

    Returns
    -------
    ndarray, shape (n_samples,)
        NaN where no region is active.
    """
    active_br, power_br = active_regions(truth_brt), power_map(prediction_brt)
    n_regions = active_br.shape[1]
    as_strong_br = n_regions + 1 - rankdata(power_br, method="min", axis=1)
    active_as_strong_br = n_regions + 1 - rankdata(np.where(active_br, power_br, -1.0), method="min", axis=1)
    precision_br = np.where(active_br, active_as_strong_br / as_strong_br, 0.0)
    return ratio(precision_br.sum(axis=1), active_br.sum(axis=1), otherwise=np.nan)


class Detection(NamedTuple):
    """Shares under a threshold, each of shape (n_samples,).

    Attributes
    ----------
    precision_b : ndarray
        Of regions above the threshold, those that are active; NaN where no region is above it.
    recall_b : ndarray
        Of active regions, those above the threshold; NaN where no region is active.
    """

    precision_b: NDArray[np.float64]
    recall_b: NDArray[np.float64]


def otsu_detection(truth_brt: Floats, prediction_brt: Floats) -> Detection:
    """Precision and recall of regions whose predicted root mean square is above Otsu's threshold of the sample."""
    active_br, found_br = active_regions(truth_brt), above_otsu(np.sqrt(power_map(prediction_brt)))
    right_b = (active_br & found_br).sum(axis=1)
    return Detection(*(ratio(right_b, chosen_br.sum(axis=1), otherwise=np.nan) for chosen_br in (found_br, active_br)))
