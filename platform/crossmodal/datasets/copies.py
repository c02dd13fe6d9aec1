"""Copies of one subject's recording under another label: scaled, cut, resampled, noisy, rounded, reversed or with its sign turned."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
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
# Of so few recordings all pairs are compared, whatever their landmarks say.
_FEW = 6
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
    return [
        copy
        for modality in sorted({modality for entry in entries for modality in entry.landmarks})
        for copy in _copies_of(modality, [entry for entry in entries if modality in entry.landmarks], read_trace)
    ]


def _copies_of(modality: str, entries: Sequence[ShardEntry], read_trace: ReadTrace) -> list[Copy]:
    held = lru_cache(_TRACES_HELD)(lambda index: read_trace(entries[index], modality))
    compared = cache(lambda one, other: likeness(held(one), held(other)))
    subjects = [entry.subject for entry in entries]
    usual = _sampled(subjects)
    likely = likely_pairs([entry.codes(modality) for entry in entries])
    chosen = {(one, other) for one, other in likely if subjects[one] != subjects[other]}
    if len(entries) <= _FEW:
        chosen.update(usual)
    alike = [pair for pair in sorted(chosen) if compared(*pair).correlation >= _FLOOR]
    if not alike:
        return []
    least = _threshold([compared(*pair).correlation for pair in usual])
    return [
        Copy(entries[one], entries[other], modality, compared(one, other))
        for one, other in alike
        if compared(one, other).correlation >= least
    ]


def likeness(one: Trace, other: Trace) -> Likeness:
    """Compare two traces at all lags, forwards and backwards.

    The lag is where the mean square of all components' correlations is greatest. The correlation is the canonical one there of principal
    components, which may be turned against each other (Hotelling 1936, Relations between two sets of variates), or the mean one of sums by
    name.
    """
    if one.rate_hz != other.rate_hz:
        return Likeness(0.0, 0.0, False)
    a_kt, b_kt = _normal(one.data_kt), _normal(other.data_kt)
    length = fft.next_fast_len(a_kt.shape[1] + b_kt.shape[1], real=True)
    a_kf, b_kf = fft.rfft(a_kt, length), fft.rfft(b_kt, length)
    found = list[Likeness]()
    for block, by_name in ((slice(N_PRINCIPAL), False), (slice(N_PRINCIPAL, None), True)):
        fit_l = _fit(a_kf[block].conj(), b_kf[block], length, by_name)
        found.append(_at_best_lag(a_kt[block], b_kt[block], fit_l, one.rate_hz, by_name, backwards=False))
        # Without the conjugate it is a convolution, which begins where the reversed trace ends.
        fit_l = np.roll(_fit(a_kf[block], b_kf[block], length, by_name), 1 - a_kt.shape[1])
        found.append(_at_best_lag(a_kt[block, ::-1], b_kt[block], fit_l, one.rate_hz, by_name, backwards=True))
    return max(found, key=lambda alike: alike.correlation)


def _fit(a_kf: NDArray[np.complex64], b_kf: NDArray[np.complex64], length: int, by_name: bool) -> NDArray[np.float32]:
    """Sum the squared products of components, of the corresponding ones alone by name, at each lag, shape (length,)."""
    fit_l = np.zeros(length, dtype=np.float32)
    for row, a_f in enumerate(a_kf):
        for b_f in b_kf[row : row + 1] if by_name else b_kf:
            fit_l += fft.irfft(a_f * b_f, length) ** 2
    return fit_l


def _at_best_lag(
    a_kt: NDArray[np.float32], b_kt: NDArray[np.float32], fit_l: NDArray[np.float32], rate_hz: float, by_name: bool, backwards: bool
) -> Likeness:
    n_a, n_b = a_kt.shape[1], b_kt.shape[1]
    lags = np.arange(len(fit_l))
    lags[n_b:] -= len(fit_l)
    overlap = np.minimum(n_a, n_b - lags) - np.maximum(0, -lags)
    enough = overlap >= min(n_a, n_b, _LEAST_OVERLAP_S * rate_hz)
    fit_l = fit_l * (2 * BAND_SHARE / np.maximum(overlap, 1))
    best = int(np.argmax(np.where(enough, fit_l, -1)))
    lag = int(lags[best])
    begin, end = max(0, -lag), min(n_a, n_b - lag)
    u_kt, v_kt = a_kt[:, begin:end], b_kt[:, begin + lag : end + lag]
    squared = _by_name(u_kt, v_kt) if by_name else _canonical(u_kt, v_kt)
    n_pairs = len(a_kt) if by_name else len(a_kt) * len(b_kt)
    by_chance = _CHANCE * max(np.quantile(fit_l[enough], _USUAL) / _usual_of_white(n_pairs), 1.0) / (2 * BAND_SHARE * (end - begin))
    # A mean over components is so much less by chance than one of them.
    by_chance /= len(a_kt) if by_name else 1
    return Likeness(float(np.sqrt(max(squared - by_chance, 0.0))), (end - begin) / rate_hz, backwards)


@lru_cache
def _usual_of_white(n_pairs: int) -> float:
    """What most lags of white noise do not exceed."""
    return float(chi2.ppf(_USUAL, n_pairs))


def _normal(data_kt: NDArray[np.int8]) -> NDArray[np.float32]:
    """Give every row a mean square of one, but for what is zero."""
    u_kt = data_kt.astype(np.float32)
    return u_kt / np.sqrt(np.maximum((u_kt**2).mean(axis=1, keepdims=True), np.finfo(np.float32).tiny))


def _canonical(u_kt: NDArray[np.float32], v_kt: NDArray[np.float32]) -> float:
    """Square of the greatest canonical correlation."""
    return float(np.linalg.svd(_orthonormal(u_kt) @ _orthonormal(v_kt).T, compute_uv=False).max(initial=0.0)) ** 2


def _orthonormal(u_kt: NDArray[np.float32]) -> NDArray[np.float64]:
    power, directions = np.linalg.eigh((u_kt @ u_kt.T).astype(np.float64))
    there = power > 1e-6 * power.max() if power.max() else power > 0
    return (directions[:, there] / np.sqrt(power[there])).T @ u_kt


def _by_name(u_kt: NDArray[np.float32], v_kt: NDArray[np.float32]) -> float:
    """Mean square of the correlations of corresponding rows."""
    powers = (u_kt**2).sum(axis=1) * (v_kt**2).sum(axis=1)
    return float(np.mean((u_kt * v_kt).sum(axis=1) ** 2 / np.maximum(powers, np.finfo(np.float32).tiny)))


def _sampled(subjects: Sequence[str]) -> list[tuple[int, int]]:
    """Draw pairs of different subjects' recordings, all where there are few; the same ones every time."""
    n = len(subjects)
    wanted = min(max(n, _FEWEST_DRAWN), _MOST_DRAWN)
    if n <= _FEW:
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
