"""How easily chance makes a prediction so like the scan it is for."""

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from crossmodal.tasks.volumes.metrics import demeaned


def chance_p(truth_vs: NDArray[np.floating], predicted_vs: NDArray[np.floating], inside_s: NDArray[np.bool_], apart: int) -> float:
    """Compare the mean r of a prediction with those of the same prediction shifted in time, which keep its and the truth's smoothness.

    Parameters
    ----------
    truth_vs, predicted_vs : array, shape (n_volumes, n_targets)
        Of one scan.
    inside_s : bool array, shape (n_targets,)
        Targets to average over.
    apart : int
        Volumes within which values depend on each other: shifts are at least as long.

    Returns
    -------
    float
        One-sided, by Student's t with as many degrees of freedom as such stretches lie in the scan, less one; 1 where the prediction never
        changes or the scan holds too few.
    """
    n_volumes = len(truth_vs)
    n_free = n_volumes // apart - 1
    unit_vs, predicted_unit_vs = (_unit(each_vs[:, inside_s].astype(np.float64)) for each_vs in (truth_vs, predicted_vs))
    products_fs = np.fft.rfft(unit_vs, axis=0) * np.fft.rfft(predicted_unit_vs, axis=0).conj()
    r_k = np.fft.irfft(products_fs.mean(axis=1), n_volumes)
    shifted_k = r_k[apart : n_volumes - apart]
    if n_free < 2 or not predicted_unit_vs.any():
        return 1.0
    return float(stats.t.sf((r_k[0] - shifted_k.mean()) / shifted_k.std(), n_free))


def _unit(x_vs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Targets with mean 0 and norm 1 over volumes; one that never changes stays zero."""
    change_vs = demeaned(x_vs)
    norm_s = np.linalg.norm(change_vs, axis=0)
    return change_vs / np.where(norm_s > 0, norm_s, 1.0)
