"""A long two-sided FIR from input to target fitted on the predicted subject itself: the empirical check of the oracle.

It needs no truth, and so also stands where evoked responses, artifacts or real recordings leave the oracle no closed form.
It is fitted on some blocks of the subject's recordings and scored on the others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
from numpy.typing import NDArray

from crossmodal.config.base import UserError
from crossmodal.evaluation.lagged import Array, FirMoments, apply_fir
from crossmodal.models.ridge import penalty_over_lags

Signal = NDArray[np.floating]
Recording = tuple[Signal, Signal, NDArray[np.bool_]]

# Shortest piece of recording that is used, in half lengths of the FIR: the normal equations take signals to be zero outside a piece.
_LEAST_PIECE = 8

# Prior on the taps: worth this many seconds of data at lag 0. It cuts what fitting thousands of taps to two minutes costs by half, and
# fades as one over duration.
_PRIOR_S = 0.1


@dataclass(frozen=True)
class SquareSums:
    """Sums over time of squared errors and of squared targets about their mean, SI units squared; additive.

    Attributes
    ----------
    error_s, target_s : ndarray, shape (n_sensors,)
    """

    error_s: Array
    target_s: Array

    def __add__(self, other: "SquareSums") -> "SquareSums":
        return SquareSums(self.error_s + other.error_s, self.target_s + other.target_s)

    def explained_variance(self, sensors: NDArray[np.intp] | slice = slice(None)) -> float:
        """Explained variance pooled over `sensors`, which are of one type."""
        return float(1 - self.error_s[sensors].sum() / self.target_s[sensors].sum())


@dataclass(frozen=True)
class FirScore:
    """How well cross-fitted FIRs predict a subject.

    Attributes
    ----------
    unseen : SquareSums
        On the blocks each was not fitted on: the score to quote.
    fitted : SquareSums
        On the blocks each was fitted on. The FIR of an endless recording lies between the two, about halfway: p taps fitted on
        n samples lower one error by p/n and raise the other by p/n (Akaike 1969, Fitting autoregressive models for prediction).
    """

    unseen: SquareSums
    fitted: SquareSums


def long_fir(recordings: Sequence[Recording], sfreq: float, half_length_s: float = 0.3, n_blocks: int = 5) -> FirScore:
    """Fit an FIR on all blocks of a subject's recordings but one and score it on that one, for each block.

    Parameters
    ----------
    recordings : sequence of (input_tc, target_ts, good_t)
        All of one subject with the same channels, in SI units; samples that are not good are left out of fit and score.
    sfreq : float
        Hz.
    half_length_s : float
        Lags run from minus this to plus this.
    n_blocks : int
        Equal shares of the good samples, in order of time. Between fit and score lies a gap of the FIR's whole length.
    """
    half_length = round(half_length_s * sfreq)
    pieces = list(_pieces(recordings, n_blocks, half_length))
    blocks = sorted({piece.block for piece in pieces})
    if len(blocks) < 2:
        needed_s = n_blocks * (_LEAST_PIECE + 1) * half_length / sfreq
        raise UserError(f"a FIR of +-{half_length_s:g} s needs {needed_s:.0f} s of clean recording a subject; lower evaluation.fir_lag_s")
    penalty_l = _PRIOR_S * sfreq * penalty_over_lags(half_length, sfreq).numpy()
    moments = {block: _block_moments(pieces, block, half_length) for block in blocks}
    unseen, fitted = [], []
    for held_out in blocks:
        training = reduce(add, (moments[block] for block in blocks if block != held_out))
        fir_lcs, error_s = training.solve(penalty_l)
        fitted.append(SquareSums(error_s, training.target_s))
        unseen += [_score(fir_lcs, piece) for piece in pieces if piece.block == held_out]
    return FirScore(reduce(add, unseen), reduce(add, fitted))


@dataclass(frozen=True)
class _Piece:
    """Samples without interruption of one block; zero mean, input channels of unit variance."""

    block: int
    input_tc: Array
    target_ts: Array


def _pieces(recordings: Sequence[Recording], n_blocks: int, half_length: int) -> Iterator[_Piece]:
    """Cut the good samples into blocks with a gap between them."""
    input_mean_c, input_scale_c = _mean_and_scale([input_tc[good_t] for input_tc, _, good_t in recordings])
    target_mean_s, _ = _mean_and_scale([target_ts[good_t] for _, target_ts, good_t in recordings])
    n_good = sum(int(good_t.sum()) for _, _, good_t in recordings)
    seen = 0
    for input_tc, target_ts, good_t in recordings:
        for start, stop in _stretches(good_t):
            for block in range(n_blocks):
                first = start + max(block * n_good // n_blocks - seen, 0)
                last = min(start + (block + 1) * n_good // n_blocks - seen, stop)
                inner = slice(first + half_length + 1 if first > start else first, last - half_length if last < stop else last)
                if inner.stop - inner.start > _LEAST_PIECE * half_length:
                    input = (input_tc[inner].astype(np.float64) - input_mean_c) / input_scale_c
                    yield _Piece(block, input, target_ts[inner].astype(np.float64) - target_mean_s)
            seen += stop - start


def _stretches(good_t: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last-plus-one sample of each run of good samples."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], good_t, [False]]).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def _mean_and_scale(signals: Sequence[Signal]) -> tuple[Array, Array]:
    n_times = sum(len(signal) for signal in signals)
    mean_c = np.sum([signal.sum(axis=0, dtype=np.float64) for signal in signals], axis=0) / n_times
    power_c = np.sum([np.square(signal - mean_c).sum(axis=0) for signal in signals], axis=0) / n_times
    return mean_c, np.sqrt(np.where(power_c > 0, power_c, 1.0))


def _block_moments(pieces: Sequence[_Piece], block: int, half_length: int) -> FirMoments:
    return reduce(add, (FirMoments.of(piece.input_tc, piece.target_ts, half_length) for piece in pieces if piece.block == block))


def _score(fir_lcs: Array, piece: _Piece) -> SquareSums:
    """Score an FIR where all its lags are known."""
    half_length = len(fir_lcs) // 2
    target_ts = piece.target_ts[half_length : len(piece.target_ts) - half_length]
    error_ts = target_ts - apply_fir(fir_lcs, piece.input_tc)
    return SquareSums(np.square(error_ts).sum(axis=0), np.square(target_ts).sum(axis=0))
