"""Widen bad spans to where their artifact ends: who marks one by hand, or by the second, misses its beginning by tens of milliseconds."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from preprocessing.signals.spans import Span
from preprocessing.steps.look import Look
from preprocessing.steps.segments import outside, runs

VERSION = 3

# A span ends where sensors have stayed in their usual range for so long.
_QUIET_S = 0.05
# Beyond the last that is out of range, since an artifact rises from within it.
_MARGIN_S = 0.03
# Standard deviations above the median beyond which power is out of its usual range: one in 300,000 is by chance.
_DEVIATIONS_ABOVE = 4.5
_QUARTILE = 0.6745  # of a normal distribution, in standard deviations


def beyond_edges(spans: Iterable[Span], look: Look, most_s: float) -> list[Span]:
    """Where sensors are still out of their usual range before and after each span.

    The power that is looked at is the mean square over sensors of a type, each in units of its own deviation: what all sensors share shows
    where none of them alone would stand out. Nothing inside the spans has a say.

    Parameters
    ----------
    spans : iterable of Span
        Those without duration are left.
    look : Look
        With the spans bridged.
    most_s : float
        How far a span may be widened to either side, s.

    Returns
    -------
    list of Span
        What is to be added, without the spans themselves.
    """
    n_blocks, rate_hz = look.x_cb.shape[1], 1 / look.block_s
    timed = [span for span in spans if span.duration_s > 0]
    good = outside(timed, n_blocks, rate_hz)
    if good.all() or not good.any():
        return []
    is_out = _is_out(look, good)
    found = []
    for start, stop in runs(~good):
        earlier = _reach(is_out[:start][::-1], look.block_s, most_s)
        later = _reach(is_out[stop:], look.block_s, most_s)
        found += [Span((start - earlier) / rate_hz, start / rate_hz)] * bool(earlier)
        found += [Span(stop / rate_hz, (stop + later) / rate_hz)] * bool(later)
    return found


def holding_artifacts(spans: Iterable[Span], look: Look) -> list[Span]:
    """Spans within which sensors leave the range that is usual outside all of them; `look` is of the recording as it is."""
    n_blocks, rate_hz = look.x_cb.shape[1], 1 / look.block_s
    timed = [span for span in spans if span.duration_s > 0]
    good = outside(timed, n_blocks, rate_hz)
    if not good.any():
        return timed
    is_out = _is_out(look, good)
    return [span for span in timed if (is_out & ~outside([span], n_blocks, rate_hz)).any()]


def _is_out(look: Look, good: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where sensors of any type are out of their usual range, shape (n_blocks,)."""
    kinds = np.array(look.kinds)
    return np.any([_is_beyond(look.x_cb[kinds == kind], good) for kind in dict.fromkeys(look.kinds)], axis=0)


def _is_beyond(x_cb: NDArray[np.float32], good: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where the mean square over sensors is out of its usual range, shape (n_blocks,).

    The cube root of a chi-square variable is close to normal, of however few degrees of freedom (Wilson and Hilferty 1931), so that few
    sensors and many, which know of each other, are held to one level.
    """
    deviation_c = np.median(np.abs(x_cb[:, good]), axis=1)
    lively = deviation_c > 0
    power_b = np.mean((x_cb[lively] / deviation_c[lively, None]) ** 2, axis=0) if lively.any() else np.zeros(x_cb.shape[1])
    root_b = np.cbrt(power_b)
    median, third_quartile = np.quantile(root_b[good], (0.5, 0.75))
    return np.asarray(root_b > median + _DEVIATIONS_ABOVE / _QUARTILE * (third_quartile - median))


def _reach(is_out: NDArray[np.bool_], block_s: float, most_s: float) -> int:
    """Blocks to add on one side, whose blocks are given from the edge outward."""
    out = np.flatnonzero(is_out[: round(most_s / block_s)])
    if not len(out):
        return 0
    gaps = np.diff(np.concatenate([[-1], out])) * block_s
    near = out[: int(np.argmax(gaps > _QUIET_S)) if (gaps > _QUIET_S).any() else len(out)]
    return int(near[-1]) + 1 + round(_MARGIN_S / block_s) if len(near) else 0
