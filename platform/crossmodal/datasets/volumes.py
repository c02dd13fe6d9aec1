"""BOLD of a recording: one row a volume, each timed on the EEG's clock."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import nibabel
import numpy as np
from numpy.typing import NDArray

from crossmodal.config import Config, fingerprint
from crossmodal.config.channel_types import CHANNEL_TYPES
from crossmodal.config.signal_spec import Regions, Voxels
from crossmodal.datasets import arrow
from crossmodal.datasets.statistics import ChannelStatistics

BOLD = "bold"
_MASK_FILE = "bold_mask.nii"


class VolumesEntry(Config):
    """What is known of a shard's volumes without opening it.

    Attributes
    ----------
    targets : str
        Fingerprint of what the columns are: names of regions, or the voxels of a grid.
    grid : tuple of int
        Shape of the images the targets were taken from.
    """

    n_volumes: int
    n_targets: int
    kind: Literal["voxels", "regions"]
    targets: str
    grid: tuple[int, int, int]
    tr_s: float

    def describe(self) -> str:
        """Say in a sentence what the targets are."""
        grid = " x ".join(str(size) for size in self.grid)
        return f"{self.n_targets} {self.kind} on a grid of {grid}, one every {self.tr_s:g} s"


@dataclass(frozen=True)
class Volumes:
    """A recording's BOLD after all steps.

    Attributes
    ----------
    data_vs : float32 array, shape (n_volumes, n_targets)
        Per cent: voxels of the mean over brain and scan, regions changes about their mean.
    onset_s : float64 array, shape (n_volumes,)
        s from the first sample of the EEG.
    good : bool array, shape (n_volumes,)
        False where the head moved.
    tr_s : float
        Repetition time, s.
    affine : float64 array, shape (4, 4)
        From voxels to mm.
    brain : bool array, shape (X, Y, Z)
        Voxels of the brain on the image's grid.
    names : tuple of str, optional
        Of regions; None where targets are voxels.
    stored : bool array, shape (X, Y, Z), optional
        Voxels that are targets, in C order; None where targets are regions.
    in_common_space : bool
        Whether a voxel is the same place in every head.
    motion : float64 array, shape (n_volumes, 6), optional
        Of the head: translations, m, and rotations, rad; None where they are not recorded.
    networks : tuple of str, optional
        Of regions; None where no network is known.
    """

    data_vs: NDArray[np.float32]
    onset_s: NDArray[np.float64]
    good: NDArray[np.bool_]
    tr_s: float
    affine: NDArray[np.float64]
    brain: NDArray[np.bool_]
    names: tuple[str, ...] | None
    stored: NDArray[np.bool_] | None
    in_common_space: bool
    motion: NDArray[np.float64] | None = None
    networks: tuple[str, ...] | None = None

    @property
    def entry(self) -> VolumesEntry:
        """Describe the volumes for a manifest."""
        grid = (self.brain.shape[0], self.brain.shape[1], self.brain.shape[2])
        if self.stored is None:
            targets = fingerprint(list(self.names or ()))
        else:
            # In its own space every image has another affine; what is compared then is the index of a voxel.
            # Rounding leaves -0 of what is slightly below 0; the sum is 0.
            place = (np.round(self.affine, 3) + 0.0).tolist() if self.in_common_space else None
            targets = fingerprint([grid, place, hashlib.sha256(np.packbits(self.stored).tobytes()).hexdigest()])
        n_volumes, n_targets = self.data_vs.shape
        kind: Literal["voxels", "regions"] = "regions" if self.stored is None else "voxels"
        return VolumesEntry(n_volumes=n_volumes, n_targets=n_targets, kind=kind, targets=targets, grid=grid, tr_s=self.tr_s)


def write_volumes(volumes: Volumes, about: dict[str, Any], folder: Path) -> None:
    """Write `bold.arrow`, its statistics over good volumes and the mask of the brain.

    Parameters
    ----------
    volumes : Volumes
        At least one good volume; all values finite.
    about : dict
        What JSON can hold: subject, run, provenance.
    folder : Path
        Of the shard.
    """
    metadata = {
        **about,
        "modality": BOLD,
        "kind": volumes.entry.kind,
        "unit": CHANNEL_TYPES[BOLD].unit,
        "tr_s": volumes.tr_s,
        "onset_s": volumes.onset_s.tolist(),
        "good": volumes.good.tolist(),
        "grid": list(volumes.brain.shape),
        "affine": volumes.affine.tolist(),
        "names": volumes.names,
        "in_common_space": volumes.in_common_space,
        "mask": _MASK_FILE,
        "motion": None if volumes.motion is None else volumes.motion.tolist(),
    }
    if volumes.networks:
        metadata["networks"] = volumes.networks
    arrow.write_matrices(folder / f"{BOLD}.arrow", {BOLD: volumes.data_vs}, metadata)
    statistics = ChannelStatistics.of(volumes.data_vs, volumes.good, pairs=False)
    rows = {name: getattr(statistics, name)[None] for name in ("mean", "variance", "min", "max")}
    arrow.write_matrices(folder / f"{BOLD}_statistics.arrow", rows, {"count": statistics.count})
    # 1 is brain, 2 a target, 3 both; uncompressed, since gzip stamps the time.
    stored = np.zeros_like(volumes.brain) if volumes.stored is None else volumes.stored
    flags = volumes.brain.astype(np.uint8) + 2 * stored.astype(np.uint8)
    nibabel.save(nibabel.Nifti1Image(flags, volumes.affine), folder / _MASK_FILE)


class StoredVolumes:
    """A shard's volumes, memory-mapped.

    Parameters
    ----------
    folder : Path
        Of the shard.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def data_vs(self) -> NDArray[np.float32]:
        """Targets, shape (n_volumes, n_targets): a read-only view of the file."""
        return arrow.map_matrices(self._folder / f"{BOLD}.arrow")[BOLD]

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """What the file says of itself."""
        return arrow.read_metadata(self._folder / f"{BOLD}.arrow")

    @property
    def onset_s(self) -> NDArray[np.float64]:
        """Onset of each volume, s from the EEG's first sample."""
        return np.array(self.metadata["onset_s"], dtype=np.float64)

    @property
    def good(self) -> NDArray[np.bool_]:
        """Volumes at which the head lay still."""
        return np.array(self.metadata["good"], dtype=bool)

    @property
    def tr_s(self) -> float:
        """Repetition time, s."""
        return float(self.metadata["tr_s"])

    @property
    def space(self) -> Regions | Voxels:
        """Say on which grid targets lie."""
        grid, affine, stored = self.metadata["grid"], self.metadata["affine"], self.stored
        return Regions(grid=grid, affine=affine) if stored is None else Voxels.of(stored, affine)

    @property
    def motion(self) -> NDArray[np.float64] | None:
        """Translations, m, and rotations, rad, of the head, shape (n_volumes, 6); None where they are not recorded."""
        motion = self.metadata.get("motion")
        return None if motion is None else np.array(motion, dtype=np.float64)

    @property
    def names(self) -> tuple[str, ...] | None:
        """Of regions; None where targets are voxels."""
        names = self.metadata["names"]
        return None if names is None else tuple(names)

    @property
    def networks(self) -> tuple[str, ...] | None:
        """Of regions; None where no network is known."""
        return tuple(self.metadata["networks"]) if "networks" in self.metadata else None

    @cached_property
    def _flags(self) -> NDArray[np.uint8]:
        return np.asarray(nibabel.load(self._folder / _MASK_FILE).dataobj)  # type: ignore[attr-defined]

    @property
    def brain(self) -> NDArray[np.bool_]:
        """Voxels of the brain, shape (X, Y, Z)."""
        return (self._flags & 1).astype(bool)

    @property
    def stored(self) -> NDArray[np.bool_] | None:
        """Voxels that are targets, shape (X, Y, Z), in C order; None where targets are regions."""
        return (self._flags & 2).astype(bool) if self.names is None else None

    @cached_property
    def target_names(self) -> tuple[str, ...]:
        """Of regions, or the numbers of voxels among those stored."""
        return self.names or tuple(map(str, range(self.data_vs.shape[1])))

    def statistics(self) -> ChannelStatistics:
        """Moments and extremes of each target over good volumes."""
        path = self._folder / f"{BOLD}_statistics.arrow"
        count, rows = arrow.read_metadata(path)["count"], {name: values[0] for name, values in arrow.map_matrices(path).items()}
        return ChannelStatistics(count, rows["mean"], rows["variance"] * count, rows["min"], rows["max"])
