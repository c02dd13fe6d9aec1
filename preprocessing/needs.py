"""What one recording needs, told from the sizes of its files: time of one core by step, and memory.

benchmarks/steps.py measures the figures, docs/scale.md says on what. They go with samples, and are of 4-byte ones.
"""

import math
from collections.abc import Mapping
from typing import Any

from nibabel.nifti1 import Nifti1Header

from crossmodal.config.preprocessing import Preprocessing, Recordings
from crossmodal.storage.uri import open_fs
from preprocessing.sources.base import Entry

# Seconds of one core for a gigabyte of FIF in float32, from reading to a published shard.
CORE_S_PER_GB: Mapping[str, float] = {"basic": 13.5, "0.1 Hz": 14.5, "maxwell": 50.0, "line_noise": 2.6, "ica": 49.0, "ssp": 14.0}
# The same for a gigabyte of BOLD in float32, and besides for one on the grid it is resampled to.
BOLD_CORE_S_PER_GB: Mapping[str, float] = {"bold": 12.5, "grid": 10.0}
# Bytes at the peak for a byte of recording: the most that any step that is on takes.
MEMORY_PER_BYTE: Mapping[str, float] = {"basic": 3.0, "0.1 Hz": 3.5, "maxwell": 6.0, "line_noise": 6.0, "ica": 8.0, "ssp": 8.0}
# Of an image in float32: the image, a copy on its way to targets, and targets.
BOLD_MEMORY_PER_BYTE = 3.5
# Below, a high-pass filter is several times as long as at the default of 0.5 Hz.
_SLOW_HZ = 0.3
# Of a .nii.gz of whole numbers; and of those to float32.
_UNCOMPRESSED, _AS_FLOAT32 = 3, 2
_BYTES_A_VOXEL = 4
# Formats whose samples take 4 bytes, or for all that their size tells 2.
_FOUR_BYTES = (".fif", ".res4")


def core_s(entry: Entry, recordings: Recordings, preprocessing: Preprocessing) -> dict[str, float]:
    """Estimate seconds of one core by step, of those that are on.

    Parameters
    ----------
    entry : Entry
        Of a recording that need not be there.
    recordings, preprocessing : Recordings, Preprocessing
        What an experiment says of it.
    """
    gigabytes = _sensor_bytes(entry) / 1e9
    needed = {step: CORE_S_PER_GB[step] * gigabytes for step in _steps(preprocessing)}
    if _reads_bold(entry, preprocessing):
        stored, resampled = _image_bytes(entry, recordings, preprocessing)
        needed["bold"] = BOLD_CORE_S_PER_GB["bold"] * max(stored, resampled) / 1e9
        if resampled:
            needed["grid"] = BOLD_CORE_S_PER_GB["grid"] * resampled / 1e9
    return needed


def memory_bytes(entry: Entry, recordings: Recordings, preprocessing: Preprocessing) -> float:
    """Estimate memory at the peak.

    Parameters
    ----------
    entry : Entry
        Of a recording that need not be there.
    recordings, preprocessing : Recordings, Preprocessing
        What an experiment says of it.
    """
    widest = 1 if entry.uri.endswith(_FOUR_BYTES) else 2
    per_byte = max(MEMORY_PER_BYTE[step] for step in _steps(preprocessing)) * widest
    # Of 2-byte samples, which FIF may hold, too, the basic steps take as much.
    needed = _sensor_bytes(entry) * max(per_byte, 2 * MEMORY_PER_BYTE["basic"])
    if _reads_bold(entry, preprocessing):
        needed += BOLD_MEMORY_PER_BYTE * max(_image_bytes(entry, recordings, preprocessing))
    return needed


def _steps(preprocessing: Preprocessing) -> list[str]:
    slow = ["0.1 Hz"] if preprocessing.highpass_hz and preprocessing.highpass_hz < _SLOW_HZ else []
    return ["basic", *slow, *(step for step in ("maxwell", "line_noise", "ica", "ssp") if getattr(preprocessing, step))]


def _sensor_bytes(entry: Entry) -> int:
    return sum(file.size_bytes for file in entry.files)


def _reads_bold(entry: Entry, preprocessing: Preprocessing) -> bool:
    return entry.bold is not None and "bold" in preprocessing.modalities


def _image_bytes(entry: Entry, recordings: Recordings, preprocessing: Preprocessing) -> tuple[float, float]:
    """Size of an image in float32 as it is stored, and on the common grid, 0 without one; of a grid headers are read, and nothing else."""
    assert entry.bold
    image, grid = entry.bold.image, preprocessing.bold.grid
    stored = float(image.size_bytes * _AS_FLOAT32 * (_UNCOMPRESSED if image.name.endswith(".gz") else 1))
    if grid is None:
        return stored, 0.0
    series, target = _shape(image.uri, recordings), _shape(grid, recordings)
    if len(series) != 4 or len(target) < 3:
        return stored, stored
    return stored, float(math.prod(target[:3]) * series[3] * _BYTES_A_VOXEL)


def _shape(uri: str, recordings: Recordings) -> tuple[int, ...]:
    """Read an image's shape from its header; empty where it cannot be read, of which whoever reads the image says the cause."""
    filesystem, path = open_fs(uri, recordings.anonymous, recordings.endpoint_url)
    try:
        with filesystem.open(path, "rb", block_size=2**16, compression="gzip" if uri.endswith(".gz") else None) as file:
            header: Any = Nifti1Header.from_fileobj(file)
            return tuple(int(size) for size in header.get_data_shape())
    except Exception:
        return ()
