"""B1, B2: wavelet transform and band amplitudes of 172 x 20,000 float32 samples, against other libraries and a plain copy.

One thread each. A transform is the full complex one of 32 frequencies from 1 to 100 Hz; band amplitudes are those of alpha at every 8th
sample, beta at every 4th and gamma at every 2nd, from the bands' frequencies alone. Peers have no band amplitude: what is timed is their
transform of a band's frequencies and the mean of its magnitudes at the samples kept. Runs alternate with runs of what they are compared
with, and a row tells the median of their ratios: what else the machine does slows both.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pywt
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.transform_peers import PEERS, WAVELET, Transform, pywavelets
from crossmodal.transforms.bands import BandAmplitude
from crossmodal.transforms.cwt import Cwt

N_CHANNELS, N_TIMES, SFREQ = 172, 20_000, 250.0
FREQUENCIES_HZ = np.geomspace(1, 100, 32)
BANDS_HZ = {"alpha": (8.0, 13.0), "beta": (13.0, 30.0), "gamma": (30.0, 100.0)}
EVERY = {"alpha": 8, "beta": 4, "gamma": 2}
TARGETS = {"transform": 2.5, "band amplitudes": 5.0}
ROUNDS, PEER_ROUNDS = 15, 5

Run = Callable[[], object]


@dataclass(frozen=True)
class Speed:
    """Seconds of a run (median), and how many runs of ours take as long (median of ratios)."""

    seconds: float
    of_ours: float


def main() -> None:
    """Measure and print a table."""
    torch.set_num_threads(1)
    console = Console()
    x_ct = np.random.default_rng(0).standard_normal((N_CHANNELS, N_TIMES), dtype=np.float32)
    ours = _ours(x_ct)
    rows = {
        "crossmodal": {task: measure(run, run, ROUNDS) for task, run in ours.items()},
        "plain copy of the output": {task: measure(_copy_of(run()), run, ROUNDS) for task, run in ours.items()},
    }
    for name, build in PEERS.items():
        console.print(f"measuring {name} ...")
        try:
            transform = build(SFREQ)
        except ImportError as error:
            console.print(f"{name} is left out: {error}")
            continue
        rounds = ROUNDS if build is pywavelets else PEER_ROUNDS
        # Some compile at their first call.
        transform(x_ct[:1], FREQUENCIES_HZ)
        rows[name] = {task: measure(run, ours[task], rounds) for task, run in _of_peer(transform, x_ct).items()}
    console.print(_table(rows))
    console.print(f"largest error of any scale, of its rms: {_largest_error(x_ct[:4]):.1e}")
    for task, target in TARGETS.items():
        times, ahead = rows["PyWavelets"][task].of_ours, min(row[task].of_ours for name, row in rows.items() if name in PEERS)
        reached = "reached" if times >= target and ahead > 1 else "missed"
        of_copy = 1 / rows["plain copy of the output"][task].of_ours
        console.print(
            f"{task}: {times:.1f} times as fast as PyWavelets, wanted {target:g}; {ahead:.1f} as the fastest peer: {reached}; "
            f"{of_copy:.0f} times a plain copy's time"
        )


def measure(contender: Run, ours: Run, rounds: int) -> Speed:
    """Time rounds of one run of ours and one of the contender."""
    pairs = [(_seconds(ours), _seconds(contender)) for _ in range(rounds)]
    return Speed(statistics.median(other_s for _, other_s in pairs), statistics.median(other_s / our_s for our_s, other_s in pairs))


def _seconds(run: Run) -> float:
    started = time.perf_counter()
    result = run()
    seconds = time.perf_counter() - started
    del result
    return seconds


def _ours(x_ct: NDArray[np.float32]) -> dict[str, Run]:
    signal_ct = torch.from_numpy(x_ct)
    cwt = Cwt(FREQUENCIES_HZ, SFREQ, WAVELET)
    bands = BandAmplitude(BANDS_HZ, FREQUENCIES_HZ, SFREQ, WAVELET, EVERY)
    return {"transform": lambda: [cwt(signal_ct)], "band amplitudes": lambda: list(bands.by_band(signal_ct).values())}


def _copy_of(outputs: object) -> Run:
    assert isinstance(outputs, list)
    originals = [output.numpy() for output in outputs]
    copies = [np.zeros_like(original) for original in originals]

    def run() -> None:
        for copy, original in zip(copies, originals, strict=True):
            np.copyto(copy, original)

    return run


def _of_peer(transform: Transform, x_ct: NDArray[np.float32]) -> dict[str, Run]:
    def band_amplitudes() -> object:
        amplitudes = []
        for name, (low, high) in BANDS_HZ.items():
            frequencies_hz = FREQUENCIES_HZ[(low <= FREQUENCIES_HZ) & (high >= FREQUENCIES_HZ)]
            wavelets = np.asarray(transform(x_ct, frequencies_hz))
            amplitudes.append(np.abs(wavelets[..., :: EVERY[name]]).mean(axis=wavelets.shape.index(len(frequencies_hz))))
        return amplitudes

    return {"transform": lambda: transform(x_ct, FREQUENCIES_HZ), "band amplitudes": band_amplitudes}


def _largest_error(x_ct: NDArray[np.float32]) -> float:
    """Against PyWavelets in float64."""
    expected_fct, _ = pywt.cwt(np.float64(x_ct), SFREQ / FREQUENCIES_HZ, WAVELET, method="fft", axis=-1)
    found_cft = Cwt(FREQUENCIES_HZ, SFREQ, WAVELET)(torch.from_numpy(x_ct)).numpy()
    difference_cft = np.abs(found_cft - expected_fct.transpose(1, 0, 2))
    return float((difference_cft.max(axis=-1) / np.sqrt((np.abs(expected_fct.transpose(1, 0, 2)) ** 2).mean(axis=-1))).max())


def _table(rows: dict[str, dict[str, Speed]]) -> Table:
    table = Table(title=f"{N_CHANNELS} channels x {N_TIMES} samples, float32: seconds, and how many times ours")
    for column in ("", *TARGETS):
        table.add_column(column, justify="right" if column else "left")
    for name, row in rows.items():
        table.add_row(name, *(f"{row[task].seconds:.3g} ({row[task].of_ours:.3g})" for task in TARGETS))
    return table


if __name__ == "__main__":
    main()
