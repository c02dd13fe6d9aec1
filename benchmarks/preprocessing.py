"""C7: preprocessing through the platform against a bare mne script; two workers against one; memory of one recording.

Recordings are noise with the channels and the rate of ds000117's, half as long, as FIF in float32. The bare script is one
process that reads, looks for broken channels, filters, resamples and references with the same settings, and saves float32 arrays. The
platform does that in one Ray worker that has already imported everything, and besides takes checksums of what it read and wrote, masks,
measures statistics and publishes. Rounds alternate and the median of their ratios is told, since what else the machine does slows both.
Core time counts all of Ray's processes. Two workers need two idle cores to mean anything, and are told beside what two processes with
the bare script reach on the same machine in the same minutes, where nothing but its memory is shared, and beside how much that shares.
"""

import argparse
import logging
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import mne
import numpy as np
import psutil
import ray.data
from ray.util.placement_group import placement_group, remove_placement_group
from rich.console import Console

from benchmarks.alone import alone, through_steps
from benchmarks.machine import in_memory, in_the_cache, two_against_one
from crossmodal.config import Experiment
from crossmodal.config.preprocessing import FileEntry, FileRecordings, Preprocessing
from crossmodal.storage.heap import KEEP_FREED_MEMORY
from preprocessing.needs import Needs
from preprocessing.pipeline import preprocess_dataset
from preprocessing.plan import plan_dataset
from preprocessing.readers.reading import list_recordings

OVERHEAD_TARGET, SPEEDUP_TARGET = 1.10, 1.8
# Of ds000117: 404 channels at 1100 Hz, of which 376 are used, and half of the eight minutes that a run has.
CHANNELS, SFREQ, HALF_RUN_S = {"mag": 102, "grad": 204, "eeg": 70, "misc": 28}, 1100.0, 245.5
AMPLITUDES = {"mag": 1e-13, "grad": 1e-12, "eeg": 1e-5, "misc": 1.0}


@dataclass(frozen=True)
class Took:
    """Seconds on the clock, and of cores in all processes."""

    clock_s: float
    core_s: float


def main() -> None:
    """Measure and print what was reached, and the load beside it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=HALF_RUN_S, help="length of a recording (default %(default)s)")
    parser.add_argument("--recordings", type=int, default=16, help="two workers end up to one apart (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    console = Console()
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    # As jobs do; processes that are started from here on have it, and the bare script in this one has not.
    # A worker that waits while one core is taken would be ended, and the next one import everything and take fresh memory, for 6 s.
    os.environ.update(KEEP_FREED_MEMORY, RAY_idle_worker_killing_time_threshold_ms="3600000")
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    with tempfile.TemporaryDirectory() as scratch:
        console.print(f"writing {options.recordings} recordings of {options.seconds:g} s ...")
        paths = [write_recording(Path(scratch) / f"{index}_raw.fif", options.seconds, seed=index) for index in range(options.recordings)]
        gigabytes = sum(path.stat().st_size for path in paths) / 1e9
        pairs = measure_overhead(paths, Path(scratch), options.rounds)
        core_ratio = statistics.median(pipeline.core_s / bare.core_s for pipeline, bare in pairs)
        clock_ratio = statistics.median(pipeline.clock_s / bare.clock_s for pipeline, bare in pairs)
        core_s = statistics.median(pipeline.core_s for pipeline, _ in pairs) / gigabytes
        verdict = f"wanted at most {OVERHEAD_TARGET:g}: {'reached' if core_ratio <= OVERHEAD_TARGET else 'missed'}"
        console.print(f"C7: one worker takes {core_ratio:.2f} times a bare script's core time, {verdict}")
        console.print(f"    {clock_ratio:.2f} times on the clock; {core_s:.1f} core-s/GB")
        speedups = measure_two_workers(paths, Path(scratch), options.rounds)
        speedup, bare_speedup = (statistics.median(ratios) for ratios in zip(*speedups, strict=True))
        verdict = f"wanted at least {SPEEDUP_TARGET:g}: {'reached' if speedup >= SPEEDUP_TARGET else 'missed'}"
        console.print(f"C7: two workers are {speedup:.2f} times as fast as one, {verdict}")
        console.print(f"    two processes with the bare script: {bare_speedup:.2f} times; all rounds: {_told(speedups)}")
        cache, memory = two_against_one(in_the_cache), two_against_one(in_memory)
        console.print(f"    two processes that transform what their cores' caches hold: {cache:.2f}; that read memory: {memory:.2f}")
        peak, declared = (needed / paths[0].stat().st_size for needed in measure_memory(paths[0]))
        console.print(f"C7: a recording takes {peak:.2f} bytes of memory a byte, declared {declared:g}")
    loads = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    console.print(f"    load of this machine (1, 5, 15 min): {loads} on {os.cpu_count()} cores")


def write_recording(path: Path, duration_s: float, seed: int) -> Path:
    """Write noise as a FIF in float32."""
    types = [kind for kind, count in CHANNELS.items() for _ in range(count)]
    info = mne.create_info([f"{kind}{index}" for index, kind in enumerate(types)], SFREQ, types)
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((len(types), round(duration_s * SFREQ))) * np.array([AMPLITUDES[kind] for kind in types])[:, None]
    mne.io.RawArray(noise, info, verbose="error").save(path, fmt="single", verbose="error")
    return path


def measure_overhead(paths: Sequence[Path], scratch: Path, rounds: int) -> list[tuple[Took, Took]]:
    """Time the pipeline with one worker, and the bare script, round by round."""
    bare_script(paths[:1], scratch)
    with _one_core_taken():
        through_pipeline(paths, scratch / "warm")
        return [(through_pipeline(paths, scratch / f"over{turn}"), bare_script(paths, scratch)) for turn in range(rounds)]


def measure_two_workers(paths: Sequence[Path], scratch: Path, rounds: int) -> list[tuple[float, float]]:
    """How many times as fast two workers are on the clock, and two processes with the bare script, round by round."""
    ratios = []
    with _bare_processes(1, paths, scratch) as alone, _bare_processes(2, paths, scratch) as both:
        through_pipeline(paths, scratch / "both-warm")
        for turn in range(rounds):
            two = through_pipeline(paths, scratch / f"two{turn}").clock_s
            with _one_core_taken():
                one = through_pipeline(paths, scratch / f"one{turn}").clock_s
            ratios.append((one / two, alone() / both()))
    return ratios


@contextmanager
def _bare_processes(n: int, paths: Sequence[Path], scratch: Path) -> Iterator[Callable[[], float]]:
    """Start processes that have imported everything and keep freed memory, as workers do; yield what times them, s on the clock."""
    folders = [scratch / f"{path.stem}-bare" for path in paths]
    for folder in folders:
        folder.mkdir(exist_ok=True)
    with ProcessPoolExecutor(n, multiprocessing.get_context("spawn")) as pool:

        def run() -> float:
            started = time.perf_counter()
            list(pool.map(_bare, paths, folders))
            return time.perf_counter() - started

        run()
        yield run


def _told(speedups: Sequence[tuple[float, float]]) -> str:
    return ", ".join(f"{workers:.2f} beside {bare:.2f}" for workers, bare in speedups)


@contextmanager
def _one_core_taken() -> Iterator[None]:
    """Take one of Ray's two cores and leave it idle; the worker that waits for it keeps what it has imported."""
    taken = placement_group([{"CPU": 1}])
    assert taken.wait(60)
    try:
        yield
    finally:
        remove_placement_group(taken)


def _timed(work: Callable[[], object], core_clock: Callable[[], float]) -> Took:
    clock_s, core_s = time.perf_counter(), core_clock()
    work()
    return Took(time.perf_counter() - clock_s, core_clock() - core_s)


def _all_cores_s() -> float:
    """Core time of this process and of all that it has started: Ray and its workers are among it."""
    own = psutil.Process()
    times = [process.cpu_times() for process in (own, *own.children(recursive=True))]
    return sum(one.user + one.system for one in times)


def through_pipeline(paths: Sequence[Path], store: Path) -> Took:
    """Preprocess recordings to a new store."""
    files = tuple(FileEntry(path=str(path), subject=path.stem) for path in paths)
    experiment = Experiment(name="benchmark", store=str(store), recordings=FileRecordings(files=files))
    took = _timed(lambda: preprocess_dataset(plan_dataset(experiment), lambda outcome: None), _all_cores_s)
    assert not plan_dataset(experiment).missing
    return took


def bare_script(paths: Sequence[Path], scratch: Path) -> Took:
    """Do the same steps with mne alone, in this process."""
    return _timed(lambda: [_bare(path, scratch) for path in paths], time.process_time)


def _bare(path: Path, scratch: Path) -> None:
    settings = Preprocessing()
    raw = mne.io.read_raw_fif(path, verbose="error").pick(["eeg", "meg"], verbose="error").load_data(verbose="error")
    starts = np.arange(0, len(raw.times), round(SFREQ))
    for index in range(len(raw.ch_names)):
        x_t = raw.get_data(picks=[index])[0]
        assert np.isfinite(x_t).all()
        peak_to_peak = np.maximum.reduceat(x_t, starts) - np.minimum.reduceat(x_t, starts)
        assert np.mean(peak_to_peak == 0) < 0.05
    raw.filter(settings.highpass_hz, settings.lowpass_hz, n_jobs=1, verbose="error")
    raw.resample(settings.sfreq, n_jobs=1, verbose="error")
    raw.set_eeg_reference("average", verbose="error")
    for modality in ("eeg", "meg"):
        np.save(scratch / f"{modality}.npy", np.ascontiguousarray(raw.get_data(picks=modality).T, dtype=np.float32))


def measure_memory(path: Path) -> tuple[float, float]:
    """Tell memory of one recording at its peak, beyond what a process has that imported everything, and what is declared for it; bytes."""
    recordings, preprocessing = FileRecordings(files=(FileEntry(path=str(path), subject="1"),)), Preprocessing()
    (entry,) = list_recordings(recordings)
    return alone(through_steps, recordings, preprocessing).peak_bytes, Needs.of(recordings, preprocessing).memory_bytes(entry)


if __name__ == "__main__":
    main()
