"""Short segments of a recording, by which flat channels and artifacts are found, and the samples that spans of it take."""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from preprocessing.signals.spans import Span

# Of a sample: how far rounding moves the end of a span that lies between samples in the file it was read from.
_ROUNDING = 1e-3


def segment_starts(n_samples: int, sfreq: float, segment_s: float) -> NDArray[np.int64]:
    """First sample of each segment; the last one takes what remains."""
    length = max(segment_s * sfreq, 1.0)
    # A rate may be no whole number: each segment begins at the sample nearest to its own time.
    return np.rint(np.arange(max(int(n_samples / length + 1e-9), 1)) * length).astype(np.int64)


def peak_to_peak(x_t: NDArray[np.floating], starts: NDArray[np.int64]) -> NDArray[np.floating]:
    """Range of a signal, shape (T,), in each segment, shape (n_segments,), in the signal's unit."""
    return np.maximum.reduceat(x_t, starts) - np.minimum.reduceat(x_t, starts)


def samples_of(span: Span, n_samples: int, sfreq: float) -> tuple[int, int]:
    """First sample of a span and the first after it, none of them outside the recording; a span without duration takes one sample."""
    start = math.floor(span.start_s * sfreq + _ROUNDING)
    stop = max(math.ceil(span.stop_s * sfreq - _ROUNDING), start + 1)
    return min(max(start, 0), n_samples), min(max(stop, 0), n_samples)


def outside(spans: Iterable[Span], n_samples: int, sfreq: float) -> NDArray[np.bool_]:
    """Mark samples outside spans, shape (T,); a span without duration, as a boundary is, takes one sample."""
    good = np.ones(n_samples, dtype=bool)
    for span in spans:
        good[slice(*samples_of(span, n_samples, sfreq))] = False
    return good


def runs(chosen_t: NDArray[np.bool_]) -> NDArray[np.int64]:
    """First sample of each run of chosen samples and the first after it, shape (n_runs, 2)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen_t, [False]]).astype(np.int8)))
    return edges.reshape(-1, 2)


def to_spans(chosen: NDArray[np.bool_], bounds_s: NDArray[np.float64]) -> list[Span]:
    """Runs of chosen segments, shape (n_segments,), as spans; bounds, shape (n_segments + 1,), s."""
    return [Span(float(bounds_s[first]), float(bounds_s[last])) for first, last in runs(chosen)]
