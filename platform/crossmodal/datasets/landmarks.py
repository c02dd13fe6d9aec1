"""Landmarks of traces: short codes that a recording and its copies share, so that not all are compared with all."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from crossmodal.datasets.traces import N_PRINCIPAL, Trace

BYTES = 16
# Of a trace's rate: what is faster drowns first where noise was added.
_SMOOTH_SAMPLES = 1.5
_APART_SAMPLES, _REACH_SAMPLES = 40, 100
# Of 128 bits. Those of independent recordings differ in 64 on average.
_MOST_BITS_APART = 26
_NEIGHBOURS = 4
_MOST_PARTNERS = 8


def landmarks_of(trace: Trace) -> NDArray[np.uint8]:
    """Describe the surroundings of a trace's peaks, shape (n, 16): the same whatever a copy's scale, sign, beginning, end and direction.

    The bits are signs of random projections, which differ in as many places as what they tell of lies apart in angle: Charikar (2002),
    Similarity estimation techniques from rounding algorithms, STOC.
    """
    projection = np.random.default_rng(0).standard_normal((_REACH_SAMPLES, 8 * BYTES))
    codes = [_codes(component_t, projection) for component_t in trace.data_kt[[0, *range(N_PRINCIPAL, len(trace.data_kt))]]]
    return np.concatenate(codes)


def _codes(component_t: NDArray[np.int8], projection: NDArray[np.float64]) -> NDArray[np.uint8]:
    smooth_t = gaussian_filter1d(component_t.astype(float), _SMOOTH_SAMPLES)
    height_t = np.abs(smooth_t)
    peaks = np.flatnonzero((height_t == maximum_filter1d(height_t, 2 * _APART_SAMPLES + 1)) & (height_t > 0))
    around = np.lib.stride_tricks.sliding_window_view(np.pad(smooth_t, _REACH_SAMPLES), 2 * _REACH_SAMPLES + 1)[peaks]
    # Before and after the peak alike, so that a reversed copy has the same; the peak's own sign says which way is up.
    even = (around + around[:, ::-1])[:, _REACH_SAMPLES + 1 :] * np.sign(smooth_t[peaks])[:, None]
    return np.packbits(even @ projection > 0, axis=1)


def likely_pairs(landmarks: Sequence[NDArray[np.uint8]]) -> list[tuple[int, int]]:
    """Choose pairs of recordings that have landmarks in common.

    Takes n log n in the number of landmarks: they are sorted once from each of their bytes on, and compared with the next few.

    Parameters
    ----------
    landmarks : sequence of uint8 array, shape (n, 16)
        A recording each.
    """
    owners = np.repeat(np.arange(len(landmarks), dtype=np.int32), [len(codes) for codes in landmarks])
    shared = Counter[tuple[int, int]]()
    for one, other in _near(np.concatenate([np.empty((0, BYTES), np.uint8), *landmarks]), owners):
        shared.update(zip(one.tolist(), other.tolist(), strict=True))
    partners = Counter[int]()
    chosen = []
    for pair, _ in shared.most_common():
        # Bounds what is compared in full, whatever is alike.
        if min(partners[pair[0]], partners[pair[1]]) < _MOST_PARTNERS:
            partners.update(pair)
            chosen.append(pair)
    return chosen


def _near(codes: NDArray[np.uint8], owners: NDArray[np.int32]) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
    for first in range(BYTES):
        key = np.roll(codes, -first, axis=1)[:, :8].copy().view(">u8")[:, 0]
        order = np.argsort(key)
        ordered, owner = codes[order].view(np.uint64), owners[order]
        for distance in range(1, _NEIGHBOURS + 1):
            apart = np.bitwise_count(ordered[distance:] ^ ordered[:-distance]).sum(axis=1)
            met = (apart <= _MOST_BITS_APART) & (owner[distance:] != owner[:-distance])
            one, other = owner[distance:][met], owner[:-distance][met]
            yield np.minimum(one, other), np.maximum(one, other)
