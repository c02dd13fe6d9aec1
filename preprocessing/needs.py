"""What recordings need, told from the sizes of their files and their first bytes: time of one core by step, and memory.

benchmarks/steps.py measures the figures, docs/scale.md says on what. They go with samples, and are of 4-byte ones.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from crossmodal.config.preprocessing import Preprocessing, Recordings
from preprocessing.readers.entry import Entry
from preprocessing.readers.formats.first_bytes import fif_holds_two_bytes, image_shape

# Seconds of one core for a gigabyte of FIF in float32, from reading to a published shard.
CORE_S_PER_GB: Mapping[str, float] = {"basic": 10.0, "0.1 Hz": 17.5, "maxwell": 50.0, "line_noise": 2.6, "ica": 49.0, "ssp": 14.0}
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


@dataclass(frozen=True)
class Needs:
    """What each recording of an experiment needs, be it there or not.

    Attributes
    ----------
    grid : tuple of int, optional
        Shape of the image to whose grid all others are resampled; empty where nothing tells it.
    """

    recordings: Recordings
    preprocessing: Preprocessing
    grid: tuple[int, ...] | None

    @classmethod
    def of(cls, recordings: Recordings, preprocessing: Preprocessing) -> "Needs":
        """Read the common grid's header, once for all recordings."""
        grid = preprocessing.bold.grid if "bold" in preprocessing.modalities else None
        return cls(recordings, preprocessing, image_shape(grid, recordings) if grid else None)

    def core_s(self, entry: Entry) -> dict[str, float]:
        """Estimate seconds of one core by step, of those that are on."""
        gigabytes = _sensor_bytes(entry) / 1e9
        needed = {step: CORE_S_PER_GB[step] * gigabytes for step in self._steps}
        stored, resampled = self._image_bytes(entry)
        for step, size in (("bold", max(stored, resampled)), ("grid", resampled)):
            if size:
                needed[step] = BOLD_CORE_S_PER_GB[step] * size / 1e9
        return needed

    def memory_bytes(self, entry: Entry) -> float:
        """Estimate memory at the peak."""
        per_byte = max(MEMORY_PER_BYTE[step] for step in self._steps) * (2 if self._may_hold_two_bytes(entry) else 1)
        # Of 2-byte samples, which a FIF whose head tells nothing may hold, the basic steps take as much.
        of_sensors = _sensor_bytes(entry) * max(per_byte, 2 * MEMORY_PER_BYTE["basic"])
        return of_sensors + BOLD_MEMORY_PER_BYTE * max(self._image_bytes(entry))

    def _may_hold_two_bytes(self, entry: Entry) -> bool:
        """Whether samples may take 2 bytes each, for all that a recording's name and head tell."""
        return fif_holds_two_bytes(entry.uri, self.recordings) if entry.uri.endswith(".fif") else not entry.uri.endswith(".res4")

    @property
    def _steps(self) -> list[str]:
        settings = self.preprocessing
        slow = ["0.1 Hz"] if settings.highpass_hz and settings.highpass_hz < _SLOW_HZ else []
        return ["basic", *slow, *(step for step in ("maxwell", "line_noise", "ica", "ssp") if getattr(settings, step))]

    def _image_bytes(self, entry: Entry) -> tuple[float, float]:
        """Size of an image in float32, as it is stored and on the common grid; 0 without one."""
        if entry.bold is None or "bold" not in self.preprocessing.modalities:
            return 0.0, 0.0
        image = entry.bold.image
        stored = float(image.size_bytes * _AS_FLOAT32 * (_UNCOMPRESSED if image.name.endswith(".gz") else 1))
        if self.grid is None:
            return stored, 0.0
        series = image_shape(image.uri, self.recordings)
        if len(series) != 4 or len(self.grid) < 3:
            return stored, stored
        return stored, float(math.prod(self.grid[:3]) * series[3] * _BYTES_A_VOXEL)


def _sensor_bytes(entry: Entry) -> int:
    return sum(file.size_bytes for file in entry.files)
