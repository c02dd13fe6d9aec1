"""How many times as much two processes do as one, on this machine: what no software on it can exceed."""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import scipy.fft

_SECONDS, _ROUNDS = 1.5, 5
Work = Callable[[], object]


def two_against_one(make: Callable[[], Work]) -> float:
    """Count how often two processes do at once what `make` gives in each, against one; the median of some rounds."""
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:

        def rate(n: int) -> float:
            return sum(pool.map(_rate, [make] * n))

        rate(2)  # Until then they import.
        return statistics.median(rate(2) / rate(1) for _ in range(_ROUNDS))


def in_the_cache() -> Work:
    """Transforms of what fits in a core's own cache."""
    x_t = np.random.default_rng(0).standard_normal(16_384)
    return lambda: scipy.fft.irfft(scipy.fft.rfft(x_t), len(x_t))


def in_memory() -> Work:
    """Reads of what fits in no cache."""
    return np.ones((100, 270_000)).sum


def _rate(make: Callable[[], Work]) -> float:
    work = make()
    work()
    started, done = time.perf_counter(), 0
    while time.perf_counter() < started + _SECONDS:
        work()
        done += 1
    return done / (time.perf_counter() - started)
