"""D1: shuffled batches of 172 x 500 windows from shards, against a plain copy of the same bytes.

One thread each, page cache warm. The plain copy takes whole batches that lie ready in memory, one after another, into one buffer.
Everything else reads windows in random order and leaves them, scaled by channel, in a buffer that is used again. Passes alternate with
passes of the plain copy, and each row tells the median of their ratios: what else the machine does slows both.
"""

import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import mne
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.peers import BATCH_SIZE, Pass, Scaled, mosaic_streaming, ray_data
from crossmodal.config.data import Data, Part, SlidingWindows
from crossmodal.datasets.batches import BatchReader
from crossmodal.datasets.folds import Fold
from crossmodal.datasets.manifest import Manifest
from crossmodal.datasets.opening import open_fold
from crossmodal.datasets.recording import Events, Recording, Signal
from crossmodal.datasets.shard import Shard, write_shard
from crossmodal.datasets.signal_file import StoredAs
from crossmodal.storage.node_cache import NodeCache

TARGET = 0.6
SFREQ, WINDOW_S = 100.0, 5.0
N_RECORDINGS, WINDOWS_EACH = 4, 80
# 70 + 102 of the 376 channels are read.
CHANNELS = {"eeg": {"eeg": 70}, "meg": {"mag": 102, "grad": 204}}
UNITS = {"eeg": ("V", 1e-5), "mag": ("T", 1e-13), "grad": ("T/m", 1e-12)}
ROUNDS, PEER_ROUNDS = 45, 3


@dataclass(frozen=True)
class Speed:
    """Bytes per second of the first pass and of later ones (median), and how the latter compare with a plain copy."""

    first: float
    later: float
    of_plain_copy: float


def main() -> None:
    """Measure and print a table."""
    torch.set_num_threads(1)
    console = Console()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        console.print(f"writing {N_RECORDINGS * WINDOWS_EACH} windows in three formats ...")
        dataset = write_dataset(folder)
        reader, whitening = (_reader(dataset, scaling, folder) for scaling in ("zscore", "whiten"))
        half = _reader(write_dataset(folder / "half", "float16"), "zscore", folder)
        windows_ntc = _windows(dataset)
        plain = _plain_copy(windows_ntc)
        # What was written goes to the disk now and not beside what is measured.
        os.sync()
        input, target = reader.normaliser.input, reader.normaliser.target
        scaled = Scaled(torch.cat([input.scale_c, target.scale_c]), torch.cat([input.offset_c, target.offset_c]), windows_ntc.shape[1])
        rows = {
            "plain copy": measure(plain, plain, windows_ntc.nbytes, ROUNDS),
            "crossmodal, read": measure(_read(reader), plain, windows_ntc.nbytes, ROUNDS),
            "crossmodal, read ahead": measure(_iterate(reader), plain, windows_ntc.nbytes, ROUNDS),
            "crossmodal, whitened too": measure(_iterate(whitening), plain, windows_ntc.nbytes, ROUNDS),
            "crossmodal, read from float16": measure(_read(half), plain, windows_ntc.nbytes, ROUNDS),
        }
        for name, peer in (("MosaicML streaming", mosaic_streaming), ("Ray Data over Parquet", ray_data)):
            console.print(f"measuring {name} ...")
            rows[name] = measure(peer(windows_ntc, scaled, folder / peer.__name__), plain, windows_ntc.nbytes, PEER_ROUNDS)
    console.print(_table(rows))
    reached = rows["crossmodal, read"].of_plain_copy
    console.print(f"D1: {reached:.3f} of a plain copy, wanted at least {TARGET:g}: {'reached' if reached >= TARGET else 'missed'}")


def measure(contender: Pass, plain: Pass, n_bytes: int, rounds: int) -> Speed:
    """Time a first pass, then rounds of one pass of the plain copy and one of the contender."""
    first_s = _seconds(contender)
    pairs = [(_seconds(plain), _seconds(contender)) for _ in range(rounds)]
    return Speed(
        first=n_bytes / first_s,
        later=n_bytes / statistics.median(own_s for _, own_s in pairs),
        of_plain_copy=statistics.median(plain_s / own_s for plain_s, own_s in pairs),
    )


def _seconds(read: Pass) -> float:
    started = time.perf_counter()
    read()
    return time.perf_counter() - started


def _plain_copy(windows_ntc: NDArray[np.float32]) -> Pass:
    batches = windows_ntc.reshape(len(windows_ntc) // BATCH_SIZE, -1)
    buffer = np.zeros_like(batches[0])

    def read() -> None:
        for batch in batches:
            np.copyto(buffer, batch)

    return read


def _read(reader: BatchReader) -> Pass:
    rng, buffer = np.random.default_rng(0), reader.buffer(BATCH_SIZE)

    def read() -> None:
        for chosen in rng.permutation(len(reader)).reshape(-1, BATCH_SIZE):
            reader.read(chosen, buffer)

    return read


def _iterate(reader: BatchReader) -> Pass:
    rng = np.random.default_rng(0)

    def read() -> None:
        for _ in reader.batches(BATCH_SIZE, rng.permutation(len(reader))):
            pass

    return read


def write_dataset(folder: Path, stored_as: StoredAs = "float32") -> Manifest:
    """Write shards of random recordings, one a subject."""
    subjects = map(str, range(N_RECORDINGS))
    return Manifest.of([write_shard(_recording(subject), folder / "shards" / subject, stored_as) for subject in subjects], "benchmark")


def open_reader(folder: Path, input_scaling: str) -> BatchReader:
    """Write the benchmark's shards and open them."""
    return _reader(write_dataset(folder), input_scaling, folder)


def _reader(dataset: Manifest, input_scaling: str, folder: Path) -> BatchReader:
    """Open a reader of all windows; its first pass finds them in the page cache but not yet in this process."""
    everyone = tuple(Part(subject=subject) for subject in dataset.subjects)
    fold = Fold(name="all", train=everyone, validation=everyone, test=everyone)
    data = Data.model_validate({"windows": SlidingWindows(length_s=WINDOW_S, hop_s=WINDOW_S), "input_scaling": input_scaling})
    return open_fold(dataset, fold, data, 0, NodeCache(folder / "cache", 2**40)).train


def _recording(subject: str) -> Recording:
    rng = np.random.default_rng(int(subject))
    n_samples = round(WINDOWS_EACH * WINDOW_S * SFREQ)
    signals = {}
    for modality, counts in CHANNELS.items():
        types = [kind for kind, count in counts.items() for _ in range(count)]
        names = [f"{kind}{index}" for index, kind in enumerate(types)]
        data_tc = rng.standard_normal((n_samples, len(types)), dtype=np.float32)
        data_tc *= np.array([UNITS[kind][1] for kind in types], dtype=np.float32)
        units = tuple(UNITS[kind][0] for kind in types)
        signals[modality] = Signal(modality, data_tc, tuple(names), tuple(types), units, np.full((len(types), 3), np.nan))
    names, types = ([value for signal in signals.values() for value in getattr(signal, field)] for field in ("names", "types"))
    return Recording(
        subject=subject,
        run="01",
        sfreq=SFREQ,
        signals=signals,
        events=Events(np.zeros(0, np.int64), np.zeros(0), ()),
        good=np.ones(n_samples, dtype=bool),
        info=mne.create_info(names, SFREQ, types),
        provenance={},
    )


def _windows(dataset: Manifest) -> NDArray[np.float32]:
    """All windows in SI units, input and target side by side, shape (n, T, C): what other formats are written from."""
    shards = [Shard.open(Path(entry.uri)) for entry in dataset.entries]
    recordings = [np.hstack([shard.signal("eeg")["eeg"], shard.signal("meg")["mag"]]) for shard in shards]
    return np.concatenate(recordings).reshape(len(shards) * WINDOWS_EACH, -1, recordings[0].shape[1])


def _table(rows: dict[str, Speed]) -> Table:
    table = Table(title="Shuffled windows of 172 channels x 500 samples, float32")
    for column in ("", "first pass, GB/s", "later, GB/s", "of a plain copy"):
        table.add_column(column, justify="right" if column else "left")
    for name, speed in rows.items():
        table.add_row(name, f"{speed.first / 1e9:.2f}", f"{speed.later / 1e9:.2f}", f"{speed.of_plain_copy:.2f}")
    return table


if __name__ == "__main__":
    main()
