"""Quantiles of channels over recordings that need not fit into memory."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

# Two passes of this many bins find a quantile to a millionth of the range between minimum and maximum.
_BINS = 1024


def quantiles(
    blocks: Callable[[], Iterable[NDArray[np.floating]]],
    low_c: NDArray[np.float64],
    high_c: NDArray[np.float64],
    probabilities: Sequence[float],
) -> NDArray[np.float64]:
    """Find quantiles from histograms: one of the whole range, then one of the bin each quantile lies in.

    Parameters
    ----------
    blocks : function that returns an iterable of arrays, shape (T, C)
        The samples, all finite; it is called for each pass.
    low_c, high_c : float64 array, shape (C,)
        Exact extremes of the samples, low_c < high_c.
    probabilities : sequence of float
        Shares of samples at or below a quantile, between 0 and 1.

    Returns
    -------
    float64 array, shape (len(probabilities), C)
        Within (high_c - low_c) / 1024^2 of the smallest value that has at least the share of samples at or below it.
    """
    width_c = (high_c - low_c) / _BINS
    none_cb = np.zeros((len(low_c), _BINS), np.int64)
    coarse_cb = sum((_count(_bins(block_tc, low_c, width_c)) for block_tc in blocks()), start=none_cb)
    found = []
    for probability in probabilities:
        rank = max(1.0, np.ceil(probability * coarse_cb[0].sum()))
        bin_c, below_c = _bin_of(coarse_cb, np.full(len(low_c), rank))
        fine_low_c, fine_width_c = low_c + bin_c * width_c, width_c / _BINS
        in_bin = ((block_tc, _bins(block_tc, low_c, width_c) == bin_c) for block_tc in blocks())
        fine_cb = sum((_count(_bins(block_tc, fine_low_c, fine_width_c), inside_tc) for block_tc, inside_tc in in_bin), start=none_cb)
        fine_bin_c, _ = _bin_of(fine_cb, rank - below_c)
        found.append(fine_low_c + (fine_bin_c + 0.5) * fine_width_c)
    return np.stack(found)


def _bins(block_tc: NDArray[np.floating], low_c: NDArray[np.float64], width_c: NDArray[np.float64]) -> NDArray[np.int64]:
    """Which of the bins from `low_c` a value lies in; the outermost where it lies outside."""
    return np.clip((block_tc - low_c) // width_c, 0, _BINS - 1).astype(np.int64)


def _count(bin_tc: NDArray[np.int64], counted_tc: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
    """Values in each bin, shape (C, bins)."""
    n_channels = bin_tc.shape[1]
    flat_tc = bin_tc + _BINS * np.arange(n_channels)
    kept = flat_tc.ravel() if counted_tc is None else flat_tc[counted_tc]
    return np.bincount(kept, minlength=n_channels * _BINS).reshape(n_channels, _BINS)


def _bin_of(counts_cb: NDArray[np.int64], rank_c: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Bin that holds the value of a rank (from 1), and the number of values below that bin."""
    upto_cb = counts_cb.cumsum(axis=1)
    bin_c = (upto_cb < rank_c[:, None]).sum(axis=1)
    rows = np.arange(len(counts_cb))
    return bin_c, upto_cb[rows, bin_c] - counts_cb[rows, bin_c]
