"""How good intervals are: how often they hold the truth, and what their width and their misses cost."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def coverage(truth: NDArray[np.floating], lower: NDArray[np.floating], upper: NDArray[np.floating]) -> Floats:
    """Share of the truth, over the first axis, that lies inside intervals; all arrays have one shape."""
    share: Floats = ((truth >= lower) & (truth <= upper)).mean(axis=0)
    return share


def interval_score(truth: NDArray[np.floating], lower: NDArray[np.floating], upper: NDArray[np.floating], level: float) -> Floats:
    """Mean width of intervals, over the first axis, and what misses cost: lower is better.

    Parameters
    ----------
    truth, lower, upper : array
        Of one shape and unit, which is that of the score.
    level : float
        Share of the truth that the intervals are to hold; nobody does better than with the quantiles that leave out as much on each side.

    Notes
    -----
    Source: Gneiting & Raftery (2007), Strictly proper scoring rules, prediction, and estimation, J. Am. Stat. Assoc. 102:359-378, eq. 43.
    """
    lower, upper = lower.astype(np.float64), upper.astype(np.float64)
    missed = np.maximum(lower - truth, 0) + np.maximum(truth - upper, 0)
    cost: Floats = (upper - lower + 2 / (1 - level) * missed).mean(axis=0)
    return cost
