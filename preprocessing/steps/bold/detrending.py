"""Remove slow drifts of the scanner from each target."""

import numpy as np
from numpy.polynomial.legendre import legvander
from numpy.typing import NDArray

VERSION = 1

# A piece is large enough for linear algebra to be fast, and small beside an image.
_BYTES_AT_ONCE = 2**22


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
        Over good volumes each target has the mean it had. Beside it, memory is taken for some targets at a time.
    """
    if order == 0 or good.sum() <= order:
        return data_vs.astype(np.float32)
    design = legvander(np.linspace(-1, 1, len(data_vs)), order)[:, 1:]
    # Without its mean over good volumes, no column of the design moves a target's mean.
    design -= design[good].mean(axis=0)
    detrended_vs = np.empty(data_vs.shape, dtype=np.float32)
    n_at_once = max(1, _BYTES_AT_ONCE // (8 * len(data_vs)))
    for first in range(0, data_vs.shape[1], n_at_once):
        piece_vs = data_vs[:, first : first + n_at_once].astype(np.float64)
        weights = np.linalg.lstsq(design[good], piece_vs[good], rcond=None)[0]
        detrended_vs[:, first : first + n_at_once] = piece_vs - design @ weights
    return detrended_vs
