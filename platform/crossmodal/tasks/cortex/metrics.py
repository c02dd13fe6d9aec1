"""How far predicted activity of cortical regions is from the true one.

Shapes: b samples, r regions, t times. Truth and prediction are signed moments in one unit. A region is active in a sample where its
true moment is not zero throughout.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def explained_variance(truth_brt: Floats, prediction_brt: Floats) -> float:
    """1 - SSE / SS about zero, both summed over samples, regions and times; NaN without any activity."""
    return float(_explained(truth_brt, prediction_brt, axis=(0, 1, 2)))


def region_explained_variance(truth_brt: Floats, prediction_brt: Floats) -> NDArray[np.float64]:
    """The same a region, summed over samples and times, shape (n_regions,); NaN for a region that is active in none."""
    return _explained(truth_brt, prediction_brt, axis=(0, 2))


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
    correlation_bt = ratio(product_bt, norms_bt[0] * norms_bt[1], otherwise=0.0)
    return ratio((correlation_bt * norms_bt[0]).sum(axis=1), norms_bt[0].sum(axis=1), otherwise=np.nan)


def power_correlation(truth_brt: Floats, prediction_brt: Floats) -> NDArray[np.float64]:
    """Pearson correlation over regions of the true and the predicted mean square over times (spatial PCC).

    Returns
    -------
    ndarray, shape (n_samples,)
        A map that is the same in all regions correlates with nothing and counts as 0; NaN where the truth is such a map.
    """
    truth_br, predicted_br = power_map(truth_brt), power_map(prediction_brt)
    return np.where(np.ptp(truth_br, axis=1) > 0, _pearson(truth_br, predicted_br), np.nan)


def temporal_correlation(truth_brt: Floats, prediction_brt: Floats) -> NDArray[np.float64]:
    """Pearson correlation over times of the true and the predicted moment of each active region, averaged over these (temporal PCC).

    Returns
    -------
    ndarray, shape (n_samples,)
        A moment that is the same at all times correlates with nothing and counts as 0; NaN where no region is active.
    """
    active_br = active_regions(truth_brt)
    return ratio((_pearson(truth_brt, prediction_brt) * active_br).sum(axis=1), active_br.sum(axis=1), otherwise=np.nan)


def active_regions(truth_brt: Floats) -> NDArray[np.bool_]:
    """Whether a region is active in a sample, shape (n_samples, n_regions)."""
    active_br: NDArray[np.bool_] = np.any(truth_brt != 0, axis=2)
    return active_br


def power_map(moments_brt: Floats) -> NDArray[np.float64]:
    """Mean square over times, shape (n_samples, n_regions)."""
    return np.mean(moments_brt.astype(np.float64) ** 2, axis=2)


def ratio(numerator: NDArray[np.floating], denominator: NDArray[np.number], otherwise: float) -> NDArray[np.float64]:
    """The ratio, or another value where the denominator is not positive."""
    out = np.full(np.shape(denominator), otherwise)
    return np.divide(numerator, denominator, out=out, where=np.asarray(denominator) > 0)


def _pearson(one: Floats, other: Floats) -> NDArray[np.float64]:
    """Correlation over the last axis; 0 where one of both is constant."""
    first, second = (signals - signals.mean(axis=-1, keepdims=True) for signals in (one.astype(np.float64), other.astype(np.float64)))
    norms = np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
    return ratio((first * second).sum(axis=-1), norms, otherwise=0.0)


def _about_mean(moments_brt: Floats) -> NDArray[np.float64]:
    """Maps without their mean over regions."""
    maps_brt = moments_brt.astype(np.float64)
    return maps_brt - maps_brt.mean(axis=1, keepdims=True)


def _explained(truth_brt: Floats, prediction_brt: Floats, axis: tuple[int, ...]) -> NDArray[np.float64]:
    truth, error = truth_brt.astype(np.float64), truth_brt.astype(np.float64) - prediction_brt
    return 1 - ratio((error**2).sum(axis=axis), (truth**2).sum(axis=axis), otherwise=np.nan)
