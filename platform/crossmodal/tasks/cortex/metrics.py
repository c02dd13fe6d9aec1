"""How far predicted activity of cortical regions is from the true one.

Shapes: b samples, r regions, t times. Truth and prediction are signed moments in one unit. A region is active in a sample where its
true moment is not zero throughout.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.floating]


def explained_variance(truth_brt: Floats, prediction_brt: Floats) -> float:
    """1 - SSE / SS about zero, both summed over samples, regions and times; NaN without any activity."""
    return float(_explained(truth_brt, prediction_brt, axis=(0, 1, 2)))


def region_explained_variance(truth_brt: Floats, prediction_brt: Floats) -> NDArray[np.float64]:
    """The same a region, summed over samples and times, shape (n_regions,); NaN for a region that is active in none."""
    return _explained(truth_brt, prediction_brt, axis=(0, 2))


def localisation_error_m(truth_brt: Floats, prediction_brt: Floats, centres_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance between the centres of the truly strongest region and of the one predicted to be.

    The strongest has the largest mean square over times.

    Parameters
    ----------
    truth_brt, prediction_brt : ndarray, shape (n_samples, n_regions, n_times)
    centres_m : ndarray, shape (n_regions, 3)

    Returns
    -------
    ndarray, shape (n_samples,)
        m; NaN where truth or prediction is zero throughout.
    """
    powers_br = [_power(moments_brt) for moments_brt in (truth_brt, prediction_brt)]
    true_b3, predicted_b3 = (centres_m[power_br.argmax(axis=1)] for power_br in powers_br)
    defined_b = np.all([power_br.any(axis=1) for power_br in powers_br], axis=0)
    return np.where(defined_b, np.linalg.norm(true_b3 - predicted_b3, axis=1), np.nan)


def spatial_correlation(truth_brt: Floats, prediction_brt: Floats) -> NDArray[np.float64]:
    """Pearson correlation over regions of the true and the predicted map at each time, averaged with the true map's norm as weight.

    Returns
    -------
    ndarray, shape (n_samples,)
        A map that is the same in all regions correlates with nothing and counts as 0; NaN where the truth is such a map throughout.
    """
    truth, prediction = (_about_mean(moments_brt) for moments_brt in (truth_brt, prediction_brt))
    product_bt = np.einsum("brt,brt->bt", truth, prediction)
    norms_bt = [np.sqrt(np.einsum("brt,brt->bt", maps, maps)) for maps in (truth, prediction)]
    correlation_bt = _ratio(product_bt, norms_bt[0] * norms_bt[1], otherwise=0.0)
    return _ratio((correlation_bt * norms_bt[0]).sum(axis=1), norms_bt[0].sum(axis=1), otherwise=np.nan)


def active_auc(truth_brt: Floats, prediction_brt: Floats) -> NDArray[np.float64]:
    """Probability that an active region is predicted to be stronger than an inactive one; ties count half.

    This is the area under the receiver operating characteristic of the predicted mean square over times, by its equality with the
    Mann-Whitney statistic (Hanley and McNeil 1982, Radiology 143:29-36).

    Returns
    -------
    ndarray, shape (n_samples,)
        NaN where all regions are active, or none is.
    """
    active_br = truth_brt.any(axis=2)
    rank_br = rankdata(_power(prediction_brt), axis=1)
    n_active_b, n_inactive_b = active_br.sum(axis=1), (~active_br).sum(axis=1)
    above_b = (rank_br * active_br).sum(axis=1) - n_active_b * (n_active_b + 1) / 2
    return _ratio(above_b, n_active_b * n_inactive_b, otherwise=np.nan)


def _power(moments_brt: Floats) -> NDArray[np.float64]:
    """Mean square over times, shape (n_samples, n_regions)."""
    return np.mean(moments_brt.astype(np.float64) ** 2, axis=2)


def _about_mean(moments_brt: Floats) -> NDArray[np.float64]:
    """Maps without their mean over regions."""
    maps_brt = moments_brt.astype(np.float64)
    return maps_brt - maps_brt.mean(axis=1, keepdims=True)


def _explained(truth_brt: Floats, prediction_brt: Floats, axis: tuple[int, ...]) -> NDArray[np.float64]:
    truth, error = truth_brt.astype(np.float64), truth_brt.astype(np.float64) - prediction_brt
    return 1 - _ratio((error**2).sum(axis=axis), (truth**2).sum(axis=axis), otherwise=np.nan)


def _ratio(numerator: NDArray[np.floating], denominator: NDArray[np.number], otherwise: float) -> NDArray[np.float64]:
    """The ratio, or another value where the denominator is not positive."""
    out = np.full(np.shape(denominator), otherwise)
    return np.divide(numerator, denominator, out=out, where=np.asarray(denominator) > 0)
