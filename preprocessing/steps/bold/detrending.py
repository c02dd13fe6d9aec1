"""Remove slow drifts of the scanner from each target."""

import numpy as np
from numpy.polynomial.legendre import legvander
from numpy.typing import NDArray

VERSION = 1


def detrend(data_vs: NDArray[np.floating], good: NDArray[np.bool_], order: int) -> NDArray[np.float32]:
    """Subtract a polynomial from each target, but not its mean.

    Parameters
    ----------
    data_vs : array, shape (n_volumes, n_targets)
        Volumes at equal distances.
    good : bool array, shape (n_volumes,)
        The polynomial is fitted to these volumes and taken off all.
    order : int
        Of the polynomial; 0 changes nothing.

    Returns
    -------
    float32 array, shape (n_volumes, n_targets)
        Over good volumes each target has the mean it had.
    """
    if order == 0 or good.sum() <= order:
        return data_vs.astype(np.float32)
    design = legvander(np.linspace(-1, 1, len(data_vs)), order)[:, 1:]
    # Without its mean over good volumes, no column of the design moves a target's mean.
    design -= design[good].mean(axis=0)
    weights = np.linalg.lstsq(design[good], data_vs[good].astype(np.float64), rcond=None)[0]
    return (data_vs - design @ weights).astype(np.float32)
