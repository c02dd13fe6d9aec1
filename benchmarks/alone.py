"""One recording through steps in a process of its own, whose peak of memory is then this recording's."""

import re
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

# Steps import these when they first run, which would count as theirs.
import mne.filter  # noqa: F401
import scipy.signal  # noqa: F401
import sklearn.decomposition  # noqa: F401
from threadpoolctl import threadpool_limits

from crossmodal.config.preprocessing import FileRecordings, Preprocessing
from crossmodal.datasets.shard import write_shard
from preprocessing.readers.reading import list_recordings
from preprocessing.recording import preprocess_recording

Result = TypeVar("Result")


@dataclass(frozen=True)
class Took:
    """Core time, s, memory beyond imports at its peak, bytes, size of the shard, bytes, and what the run said."""

    core_s: float
    peak_bytes: int
    shard_bytes: int
    notes: tuple[str, ...]


def alone(work: Callable[..., Result], *arguments: object) -> Result:
    """Run in a process that has done nothing before but import everything."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def through_steps(recordings: FileRecordings, preprocessing: Preprocessing) -> Took:
    """Take one recording through steps and write its shard, on one core."""
    (entry,) = list_recordings(recordings)
    before = status_bytes("VmRSS")
    with threadpool_limits(1), tempfile.TemporaryDirectory() as scratch:
        started_s = time.process_time()
        recording = preprocess_recording(entry, recordings, preprocessing, Path(scratch))
        shard = write_shard(recording, Path(scratch) / "shard", preprocessing.stored_as)
        core_s = time.process_time() - started_s
    return Took(core_s, status_bytes("VmHWM") - before, shard.size_bytes, tuple(recording.provenance["notes"]))


def status_bytes(field: str) -> int:
    """Read a figure of this process's own memory; getrusage would also count what its parent had taken."""
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return 1024 * int(found[1])
