"""Whether a prediction knows the windows it was made for: a test of each subject against a null of its own.

Where nothing can be learned, a prediction is no more like the target of its own window than like targets of other windows. So the target
is shifted against the prediction by whole windows, circularly within blocks of consecutive ones, and their likeness in place is compared
with that under all shifts. A shift by whole windows leaves in place what is locked to them, as variable evoked responses are.

Suffixes: b window of a block, s sensor, t time in a window, p sensor and time.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from crossmodal.datasets.windows import WindowSet
from crossmodal.tasks.sensors.metrics import Floats, type_slices

_BLOCK = 16  # windows; more would only take memory
_LEAST_BLOCK = 8
_HELD_BYTES = 2**25  # a predictor
_STEEPEST = 200.0  # slope of the bound; likeness is at most 1


class OwnWindows:
    """Gathers the windows of one subject, block by block, and tests each predictor on them.

    Parameters
    ----------
    types : tuple of str
        Channel type a sensor, ordered by type.
    windows : WindowSet
        The subject's test windows. Of windows that overlap only some are used, since they are not independent.
    """

    def __init__(self, types: tuple[str, ...], windows: WindowSet) -> None:
        self._slices = type_slices(types)
        chosen = _apart(windows)
        size = int(np.clip(_HELD_BYTES // (4 * len(types) * windows.n_times), _LEAST_BLOCK, _BLOCK))
        self._sizes: list[int] = []
        self._block_of = np.full(len(windows), -1)
        for block, members in enumerate(np.array_split(chosen, max(1, round(len(chosen) / size)))):
            self._block_of[members] = block
            self._sizes.append(len(members))
        self._held: dict[str, list[NDArray[np.floating]]] = {}
        self._truth: list[NDArray[np.floating]] = []
        self._likeness: dict[tuple[str, str], list[Floats]] = {}

    def add(self, windows: NDArray[np.integer], truth_bst: NDArray[np.floating], predicted: Mapping[str, NDArray[np.floating]]) -> None:
        """Add windows by their positions, in order; truth and predictions (n_windows, n_sensors, n_times) in one unit."""
        blocks = self._block_of[windows]
        for block in np.unique(blocks[blocks >= 0]):
            rows = np.flatnonzero(blocks == block)
            # A slice copies nothing.
            of_block = slice(rows[0], rows[-1] + 1) if len(rows) == rows[-1] + 1 - rows[0] else rows
            self._truth.append(truth_bst[of_block])
            for name, predicted_bst in predicted.items():
                self._held.setdefault(name, []).append(predicted_bst[of_block])
            if sum(map(len, self._truth)) == self._sizes[block]:
                self._compare()

    def _compare(self) -> None:
        """Compare predictions and targets of a whole block, and forget them."""
        truth_bst = _about_mean(self._truth)
        for name, held in self._held.items():
            predicted_bst = _about_mean(held)
            for kind, columns in self._slices.items():
                of_block = likeness(truth_bst[:, columns], predicted_bst[:, columns])
                self._likeness.setdefault((name, kind), []).append(of_block)
        self._truth, self._held = [], {}

    def p(self, predictor: str, kind: str) -> float:
        """Of `own_window_p`, for one predictor on the sensors of one type."""
        return own_window_p(self._likeness[predictor, kind])


def likeness(truth_bst: NDArray[np.floating], predicted_bst: NDArray[np.floating]) -> Floats:
    """Correlate each prediction of a block with each target of it over sensors and times.

    A straight line is taken out of each sensor's window: what is slower than a window would be alike in several windows.

    Parameters
    ----------
    truth_bst, predicted_bst : ndarray, shape (n_windows, n_sensors, n_times)
        Without their means over windows.

    Returns
    -------
    ndarray, shape (n_windows, n_windows)
        Rows are predictions, columns targets; 0 where a prediction is constant.
    """
    n_windows, _, n_times = truth_bst.shape
    lines_tl = np.linalg.qr(np.vander(np.linspace(-1, 1, n_times), 2))[0].astype(truth_bst.dtype)
    whole, lines, norms = [], [], []
    for y_bst in (predicted_bst, truth_bst):
        y_bp, lines_bp = y_bst.reshape(n_windows, -1), (y_bst @ lines_tl).reshape(n_windows, -1)
        square_b = np.einsum("bp,bp->b", y_bp, y_bp) - np.einsum("bp,bp->b", lines_bp, lines_bp)
        whole.append(y_bp)
        lines.append(lines_bp)
        norms.append(np.sqrt(np.maximum(square_b, 0)))
    product_bb = whole[0] @ whole[1].T - lines[0] @ lines[1].T
    norm_bb = np.outer(*norms)
    return np.divide(product_bb, norm_bb, out=np.zeros_like(product_bb), where=norm_bb > 0).astype(np.float64)


def own_window_p(blocks: Sequence[Floats]) -> float:
    """Bound the probability that predictions are by chance so like the targets of their own windows.

    Parameters
    ----------
    blocks : sequence of ndarray, each (n_windows, n_windows)
        From `likeness`.

    Returns
    -------
    float
        At most 1. It cannot be much less than n^-n for n windows, so that fewer than eight never raise an alarm.

    Notes
    -----
    The statistic is the sum of the n likenesses in place. Its tail is Chernoff's bound (1952), exp(n log M(slope) - slope * sum) at the
    best slope. The moment generating function M is the mean over all shifts, that of no shift included, which is what keeps p from being
    too small with few windows. Unlike a Gaussian tail it knows of the skewness and of the heavy tails of the shifts; the rank among the
    shifts could not be below one in their number.
    """
    # As means over the windows of a block were taken out, likenesses of one block have a correlation of 1 / (n - 1)^2.
    own = np.concatenate([np.sqrt(1 - 1 / len(block)) * np.diag(block) for block in blocks])
    values = np.concatenate([own, *(block[~np.eye(len(block), dtype=bool)] for block in blocks)])
    total, largest = own.sum(), values.max()
    if total <= 0:
        return 1.0

    def exponent(slope: float) -> float:
        log_mean = slope * largest + np.log(np.mean(np.exp(slope * (values - largest))))
        return float(len(own) * log_mean - slope * total)

    best = optimize.minimize_scalar(exponent, bounds=(0, _STEEPEST), method="bounded")
    return float(np.exp(min(best.fun, 0.0)))


def _about_mean(parts: Sequence[NDArray[np.floating]]) -> NDArray[np.floating]:
    """Windows without their mean over windows, and so without all that recurs in each of them, as a mean evoked response does."""
    y_bst = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return y_bst - y_bst.mean(axis=0)


def _apart(windows: WindowSet) -> NDArray[np.int64]:
    """Positions of windows, in their order, of which none overlaps the one before."""
    chosen: list[int] = []
    for index, (shard, start) in enumerate(zip(windows.shard_index, windows.start, strict=True)):
        if not chosen or shard != windows.shard_index[chosen[-1]] or start >= windows.start[chosen[-1]] + windows.n_times:
            chosen.append(index)
    return np.array(chosen, dtype=np.int64)
