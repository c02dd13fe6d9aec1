"""Copies of one subject's recording under another label: scaled, cut, resampled, noisy, rounded, reversed or with its sign turned."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.stats import chi2

from crossmodal.datasets.entry import ShardEntry
from crossmodal.datasets.landmarks import likely_pairs
from crossmodal.datasets.traces import BAND_SHARE, N_PRINCIPAL, Trace

ReadTrace = Callable[[ShardEntry, str], Trace]

# Beyond what chance gives, the least correlation of a copy; what stimuli evoke in all subjects alike stays well below.
_FLOOR, _CEILING = 0.5, 0.9
# The square of a correlation by chance, times degrees of freedom, at the best of all lags; of white noise it is about 40. Where most lags
# fit better than those of white noise do, as heartbeats fit at each beat, it is as much more.
_CHANCE, _USUAL = 80.0, 0.99
_LEAST_OVERLAP_S = 2.0
# Spread of independent pairs that a copy lies beyond, and how many pairs tell it.
_SPREADS = 6.0
_FEWEST_DRAWN, _MOST_DRAWN, _LEAST_PAIRS = 15, 400, 10
_TRACES_HELD = 64


@dataclass(frozen=True)
class Likeness:
    """How much two traces have in common where they fit best.

    Attributes
    ----------
    correlation : float
        Of components over the stretch, beyond what chance gives.
    overlap_s : float
        Length of the stretch.
    backwards : bool
        One runs against the other.
    """

    correlation: float
    overlap_s: float
    backwards: bool


@dataclass(frozen=True)
class Copy:
    """Two recordings of which one is a copy of the other."""

    one: ShardEntry
    other: ShardEntry
    modality: str
    likeness: Likeness


def find_copies(entries: Sequence[ShardEntry], read_trace: ReadTrace) -> list[Copy]:
    """Find recordings that are copies of another subject's, in time n log n in the number of recordings.

    Landmarks choose which pairs are compared. A pair has to be more alike than the dataset's own pairs are, most of which are independent:
    what a dataset's recordings share, as a stimulus or a device, makes none a copy.

    Parameters
    ----------
    entries : sequence of ShardEntry
    read_trace : callable
        From an entry and a modality to the trace that its shard holds.
    """
    held = lru_cache(_TRACES_HELD)(lambda index, modality: read_trace(entries[index], modality))
    copies = list[Copy]()
    for modality in sorted({modality for entry in entries for modality in entry.landmarks}):
        there = [index for index, entry in enumerate(entries) if modality in entry.landmarks]
        subjects = [entries[index].subject for index in there]
        usual = _sampled(subjects)
        likely = likely_pairs([entries[index].codes(modality) for index in there])
        pairs = sorted({*usual, *((one, other) for one, other in likely if subjects[one] != subjects[other])})
        found = {(one, other): likeness(held(there[one], modality), held(there[other], modality)) for one, other in pairs}
        least = _threshold([found[pair].correlation for pair in usual])
        copies += [
            Copy(entries[there[one]], entries[there[other]], modality, alike)
            for (one, other), alike in found.items()
            if alike.correlation >= least
        ]
    return copies


def likeness(one: Trace, other: Trace) -> Likeness:
    """Compare two traces at all lags, forwards and backwards.

    The lag is where the mean square of all components' correlations is greatest, and the correlation the canonical one there of principal
    components, which may be turned against each other, or that of sums by name (Hotelling 1936, Relations between two sets of variates).
    """
    if one.rate_hz != other.rate_hz:
        return Likeness(0.0, 0.0, False)
    found = list[Likeness]()
    for backwards in (False, True):
        a_kt, b_kt = one.data_kt[:, :: -1 if backwards else 1].astype(np.float32), other.data_kt.astype(np.float32)
        for block, by_name in ((slice(N_PRINCIPAL), False), (slice(N_PRINCIPAL, None), True)):
            found.append(_at_best_lag(_normal(a_kt[block]), _normal(b_kt[block]), one.rate_hz, by_name, backwards))
    return max(found, key=lambda alike: alike.correlation)


def _at_best_lag(a_kt: NDArray[np.float32], b_kt: NDArray[np.float32], rate_hz: float, by_name: bool, backwards: bool) -> Likeness:
    n_a, n_b = a_kt.shape[1], b_kt.shape[1]
    length = fft.next_fast_len(n_a + n_b, real=True)
    a_kf, b_kf = fft.rfft(a_kt, length).conj(), fft.rfft(b_kt, length)
    columns = range(len(b_kf))
    fit_l = np.zeros(length, dtype=np.float32)
    for row, a_f in enumerate(a_kf):
        for column in [row] if by_name else columns:
            fit_l += fft.irfft(a_f * b_kf[column], length) ** 2
    lags = np.arange(length)
    lags[n_b:] -= length
    overlap = np.minimum(n_a, n_b - lags) - np.maximum(0, -lags)
    enough = overlap >= min(n_a, n_b, _LEAST_OVERLAP_S * rate_hz)
    fit_l *= 2 * BAND_SHARE / np.maximum(overlap, 1)
    best = int(np.argmax(np.where(enough, fit_l, -1)))
    lag = int(lags[best])
    begin, end = max(0, -lag), min(n_a, n_b - lag)
    u_kt, v_kt = a_kt[:, begin:end], b_kt[:, begin + lag : end + lag]
    squared = _diagonal(u_kt, v_kt) if by_name else _canonical(u_kt, v_kt)
    white = chi2.ppf(_USUAL, len(a_kt) if by_name else len(a_kt) * len(b_kt))
    by_chance = _CHANCE * max(np.quantile(fit_l[enough], _USUAL) / white, 1.0) / (2 * BAND_SHARE * (end - begin))
    return Likeness(float(np.sqrt(max(squared - by_chance, 0.0))), (end - begin) / rate_hz, backwards)


def _normal(u_kt: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give every row a mean square of one, but for what is zero."""
    return u_kt / np.sqrt(np.maximum((u_kt**2).mean(axis=1, keepdims=True), np.finfo(np.float32).tiny))


def _canonical(u_kt: NDArray[np.float32], v_kt: NDArray[np.float32]) -> float:
    """Square of the greatest canonical correlation."""
    return float(np.linalg.svd(_orthonormal(u_kt) @ _orthonormal(v_kt).T, compute_uv=False).max(initial=0.0)) ** 2


def _orthonormal(u_kt: NDArray[np.float32]) -> NDArray[np.float64]:
    power, directions = np.linalg.eigh((u_kt @ u_kt.T).astype(np.float64))
    there = power > 1e-6 * power.max() if power.max() else power > 0
    return (directions[:, there] / np.sqrt(power[there])).T @ u_kt


def _diagonal(u_kt: NDArray[np.float32], v_kt: NDArray[np.float32]) -> float:
    """Greatest square of the correlations of corresponding rows."""
    powers = (u_kt**2).sum(axis=1) * (v_kt**2).sum(axis=1)
    return float(np.max((u_kt * v_kt).sum(axis=1) ** 2 / np.maximum(powers, np.finfo(np.float32).tiny)))


def _sampled(subjects: Sequence[str]) -> list[tuple[int, int]]:
    """Draw pairs of different subjects' recordings, all where there are few; the same ones every time."""
    n = len(subjects)
    wanted = min(max(n, _FEWEST_DRAWN), _MOST_DRAWN)
    if n * (n - 1) // 2 <= wanted:
        drawn = list(combinations(range(n), 2))
    else:
        pairs = np.sort(np.random.default_rng(0).integers(n, size=(wanted, 2)), axis=1)
        drawn = sorted({(int(one), int(other)) for one, other in pairs})
    return [(one, other) for one, other in drawn if subjects[one] != subjects[other]]


def _threshold(usual: Sequence[float]) -> float:
    """Correlation from which on a pair is a copy."""
    if len(usual) < _LEAST_PAIRS:
        return _FLOOR
    middle = np.median(usual)
    # Of a normal distribution, the median deviation is 1 / 1.4826 of the standard deviation.
    spread = 1.4826 * np.median(np.abs(np.asarray(usual) - middle))
    return float(np.clip(middle + _SPREADS * spread, _FLOOR, _CEILING))
