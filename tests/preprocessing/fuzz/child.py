"""Read one edited recording in a process of its own, which is held to time and memory, and say what became of it."""

import json
import os
import resource
import time
import traceback
import warnings
from pathlib import Path

import mne
import numpy as np
from mne.io import BaseRaw

from crossmodal.config import UserError
from crossmodal.config.bold import Bold
from crossmodal.config.preprocessing import Preprocessing
from crossmodal.datasets.recording import Recording
from crossmodal.datasets.shard import write_shard
from preprocessing.readers.formats.opening import read_raw_file
from preprocessing.readers.reading import list_recordings
from preprocessing.recording import preprocess_recording
from tests.preprocessing.fuzz.seeds import Seed

_MEMORY_BYTES, _CORE_S, _CLOCK_S = 4 * 2**30, 60, 300
_AS_RECORDED = {"highpass_hz": None, "lowpass_hz": None, "sfreq": None, "average_reference": False, "bad_channels": "interpolate"}
GOOD = ("shard", "refused")


def outcome_of(seed: Seed, scratch: Path) -> tuple[str, str]:
    """Fork, read, and return what it ended as ('shard', 'refused', or a fault) with what was said."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        try:
            answer = _limited(seed, scratch)
        except BaseException:
            answer = ("traceback", traceback.format_exc(limit=-3))
        # A pipe holds 64 kB that nobody has read yet.
        os.write(writer, json.dumps((answer[0], answer[1][:9000])).encode())
        os._exit(0)
    os.close(writer)
    status = _waited(pid)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read()
    if status is None or os.WIFSIGNALED(status):
        return ("hang", "") if status is None or os.WTERMSIG(status) in (9, 24) else ("crash", f"signal {os.WTERMSIG(status)}")
    kind, told = json.loads(said)
    return kind, told


def _waited(pid: int) -> int | None:
    end = time.monotonic() + _CLOCK_S
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status
        time.sleep(0.002)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return None


def _limited(seed: Seed, scratch: Path) -> tuple[str, str]:
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + _MEMORY_BYTES,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (_CORE_S,) * 2)
    warnings.simplefilter("ignore")
    try:
        return _read(seed, scratch)
    except UserError as error:
        told = str(error)
        named = any(path.name in told for path in (seed.opened, *seed.edited, *seed.opened.parent.iterdir()))
        if isinstance(error.__cause__, MemoryError):
            return "memory", told
        return ("refused" if named and "\n" not in told else "unnamed"), told
    except MemoryError:
        return "memory", traceback.format_exc(limit=-3)


def _read(seed: Seed, scratch: Path) -> tuple[str, str]:
    (entry,) = list_recordings(seed.recordings)
    modality = "eeg" if seed.opened.suffix not in (".ds", ".con", "") else "meg"
    modalities = (modality, "bold") if seed.recordings.kind == "noddi" else (modality,)
    settings = Preprocessing(**_AS_RECORDED, modalities=modalities, bold=Bold(fd_mm=None, dvars_iqr=None, detrend_order=0))
    made = preprocess_recording(entry, seed.recordings, settings, scratch)
    write_shard(made, scratch / "shard")
    return _compared(made, modality, seed)


def _compared(made: Recording, modality: str, seed: Seed) -> tuple[str, str]:
    """Compare a shard's samples with what MNE reads of the same file, but for channels and samples that are bad."""
    signal, interpolated = made.signals[modality], made.provenance["interpolated"]
    try:
        raw = _by_mne(seed.opened)
        x_tc = {
            name: raw.get_data(picks=[name])[0, made.good] for name in signal.names if name in raw.ch_names and name not in interpolated
        }
    except Exception as error:
        return "shard", f"MNE: {error}"
    for column, name in enumerate(signal.names):
        own = signal.data_tc[made.good, column]
        if (raw._orig_units or {}).get(name) == "n/a" and name in x_tc:
            # MNE takes a unit that it does not know for volts.
            x_tc[name] *= np.abs(own).max(initial=0) / max(np.abs(x_tc[name]).max(initial=0), 1e-300)
        if name in x_tc and not np.allclose(own, x_tc[name], rtol=1e-5, atol=1e-5 * np.abs(own).max(initial=0)):
            ratio = np.abs(own).max(initial=0) / max(np.abs(x_tc[name]).max(initial=0), 1e-300)
            return "differs", f"{name}: largest {ratio:.4g} times as large as MNE's"
    return "shard", ""


def _by_mne(path: Path) -> BaseRaw:
    suffix = path.suffix
    if suffix == "":
        return mne.io.read_raw_bti(path / "c,rfDC", path / "config", None, rename_channels=False, preload=True, verbose="error")
    if suffix in (".ds", ".con"):
        return read_raw_file(path / f"{path.stem}.res4" if suffix == ".ds" else path)
    options = {"allow_maxshield": "yes"} if suffix == ".fif" else {}
    return mne.io.read_raw(path, preload=True, verbose="error", **options)
