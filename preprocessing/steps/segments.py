"""Short segments of a recording, by which flat channels and artifacts are found."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from preprocessing.sources.timeline import Span


def segment_starts(n_samples: int, sfreq: float, segment_s: float) -> NDArray[np.int64]:
    """First sample of each segment; the last one takes what remains."""
    length = max(round(segment_s * sfreq), 1)
    return np.arange(max(n_samples // length, 1), dtype=np.int64) * length


def peak_to_peak(x_t: NDArray[np.float64], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Range of a signal, shape (T,), in each segment, shape (n_segments,), in the signal's unit."""
    return np.maximum.reduceat(x_t, starts) - np.minimum.reduceat(x_t, starts)


def outside(spans: Iterable[Span], n_samples: int, sfreq: float) -> NDArray[np.bool_]:
    """Mark samples outside spans, shape (T,); a span without duration, as a boundary is, takes one sample."""
    good = np.ones(n_samples, dtype=bool)
    for span in spans:
        start, stop = round(span.start_s * sfreq), round(span.stop_s * sfreq)
        good[max(start, 0) : max(stop, start + 1, 0)] = False
    return good
