"""Tell a jump of the level across a bad span, as of an electrode that slipped, from the drift that is usual."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Levels are told over so long, by so many means.
LEVEL_S = 0.5
_MEANS = 5
# Of the distance from the median power of usual differences to its third quartile, above the median: what is no usual difference.
_QUARTILES_ABOVE = 6.0
_LEAST_DIFFERENCES = 20


def level_of(x_ct: NDArray[np.float64]) -> NDArray[np.float64]:
    """Level of a stretch of LEVEL_S, shape (C,): the median of means, which the beginning of an artifact in it does not move far."""
    return np.median([part_ct.mean(axis=1) for part_ct in np.array_split(x_ct, min(_MEANS, x_ct.shape[1]), axis=1)], axis=0)


class UsualDrift:
    """How much levels of a recording differ from others some time later, where nothing is bad.

    Parameters
    ----------
    x_ct : float64 array, shape (C, T)
        Unfiltered.
    good : bool array, shape (T,)
        Samples outside bad spans and away from boundaries.
    kinds : sequence of str, length C
        Types of channels: those of one are judged together, since what all share shows where none alone would stand out.
    sfreq : float
        Hz.
    """

    def __init__(self, x_ct: NDArray[np.float64], good: NDArray[np.bool_], kinds: Sequence[str], sfreq: float) -> None:
        length = max(round(LEVEL_S * sfreq / _MEANS), 1)
        n_levels, mean_over = len(good) // (_MEANS * length), np.full(length, 1 / length)
        n_samples, shape = n_levels * _MEANS * length, (n_levels, _MEANS, length)
        self._is_good = good[:n_samples].reshape(shape).all(axis=(1, 2))
        self._level_cl = np.median([x_t[:n_samples].reshape(shape) @ mean_over for x_t in x_ct], axis=2)
        self._kinds = np.array(kinds)

    def jumped(self, difference_c: NDArray[np.float64], apart_s: float) -> NDArray[np.bool_]:
        """Tell for each channel, shape (C,), whether levels of its type differ by more than is usual so far apart."""
        lag = max(round(apart_s / LEVEL_S), 1)
        usual_cl, factor = self._usual(lag)
        jumped = np.zeros(len(difference_c), dtype=bool)
        for kind in np.unique(self._kinds) if usual_cl.shape[1] else ():
            rows = self._kinds == kind
            power, *usual = _powers(np.column_stack([difference_c[rows], factor * usual_cl[rows]]))
            median, third_quartile = np.quantile(usual, (0.5, 0.75))
            jumped[rows] = power > median + _QUARTILES_ABOVE * (third_quartile - median)
        return jumped

    def _usual(self, lag: int) -> tuple[NDArray[np.float64], float]:
        """Differences over a lag, shape (C, n), with nothing bad between; over half of it, doubled, where there are too few, and so on."""
        bad_before = np.concatenate([[0], np.cumsum(~self._is_good)])
        for shorter in (lag >> halvings for halvings in range(lag.bit_length())):
            first = np.flatnonzero(bad_before[shorter + 1 :] == bad_before[: -shorter - 1])
            if len(first) >= _LEAST_DIFFERENCES:
                return self._level_cl[:, first + shorter] - self._level_cl[:, first], lag / shorter
        return self._level_cl[:, :0], 1.0


def _powers(difference_cn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean square over channels of differences in units of each channel's usual one, shape (n,); the first is not among the usual."""
    centred_cn = difference_cn - np.median(difference_cn[:, 1:], axis=1, keepdims=True)
    usual_c = np.median(np.abs(centred_cn[:, 1:]), axis=1)
    lively = usual_c > 0
    return np.mean((centred_cn[lively] / usual_c[lively, None]) ** 2, axis=0) if lively.any() else np.zeros(centred_cn.shape[1])
