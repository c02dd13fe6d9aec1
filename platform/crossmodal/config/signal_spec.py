"""What goes into a model and what comes out of it: models are built from it, and cards, exports and figures carry it."""

from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from crossmodal.config.base import Config
from crossmodal.config.channel_types import CHANNEL_TYPES

Affine = tuple[tuple[float, float, float, float], ...]


class Sensors(Config):
    """Electrodes or magnetic sensors; where they stand differs between subjects."""

    kind: Literal["sensors"] = "sensors"


class Regions(Config):
    """Means over the regions of an atlas.

    Attributes
    ----------
    grid : tuple of int
        Shape of the images that they were taken from.
    affine : tuple of tuple of float, shape (4, 4)
        From voxels to mm.
    """

    kind: Literal["regions"] = "regions"
    grid: tuple[int, int, int]
    affine: Affine


class Voxels(Config):
    """Voxels of an image, those of a mask in C order; grid and affine as in `Regions`.

    Attributes
    ----------
    runs : tuple of int
        The mask in C order: lengths of runs of voxels that are outside and inside it by turns, the first outside.
    brain_runs : tuple of int, optional
        The same of the mask's voxels, outside and inside the brain of any training recording; None where all are inside.
    """

    kind: Literal["voxels"] = "voxels"
    grid: tuple[int, int, int]
    affine: Affine
    runs: tuple[int, ...]
    brain_runs: tuple[int, ...] | None = None

    @classmethod
    def of(cls, mask: NDArray[np.bool_], affine: Affine, brain: NDArray[np.bool_] | None = None) -> Self:
        """Describe the voxels of a mask, shape (X, Y, Z), of which some are brain, of the same shape."""
        brain_runs = None if brain is None or brain[mask].all() else _runs(brain[mask])
        return cls(grid=mask.shape, affine=affine, runs=_runs(mask), brain_runs=brain_runs)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Voxels that are described, shape (X, Y, Z)."""
        return _flags(self.runs).reshape(self.grid)

    @property
    def brain(self) -> NDArray[np.bool_]:
        """Which of them are brain, in C order."""
        return np.ones(sum(self.runs[1::2]), dtype=bool) if self.brain_runs is None else _flags(self.brain_runs)


def _runs(flags: NDArray[np.bool_]) -> tuple[int, ...]:
    changes = np.flatnonzero(np.diff(flags.ravel(), prepend=False))
    return tuple(np.diff(changes, prepend=0, append=flags.size).tolist())


def _flags(runs: tuple[int, ...]) -> NDArray[np.bool_]:
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs)


class Cortex(Config):
    """Regions of a template's cortical surface.

    Attributes
    ----------
    regions : str, optional
        Which region each vertex lies in, as `physics.parcellation` packs it; None is the platform's own sixty.
    """

    kind: Literal["cortex"] = "cortex"
    surface: str = "fsaverage5"
    regions: str | None = None


Space = Annotated[Sensors | Regions | Voxels | Cortex, Field(discriminator="kind")]


class SignalSpec(Config):
    """One signal in windows of a fixed length.

    Attributes
    ----------
    names, types : tuple of str
        A channel, region or voxel each, in the order of tensors; a voxel's is its position among those of the space. Types
        are keys of `CHANNEL_TYPES`, equal ones side by side.
    sfreq : float
        Hz; of volumes, one over their repetition time.
    n_times : int
        Samples a window.
    """

    names: tuple[str, ...]
    types: tuple[str, ...]
    sfreq: float = Field(gt=0)
    n_times: int = Field(ge=1)
    space: Space = Sensors()

    @property
    def n_channels(self) -> int:
        """Number of channels, regions or voxels."""
        return len(self.names)

    @property
    def unit(self) -> str:
        """Units of all channels, in words."""
        return ", ".join(dict.fromkeys(CHANNEL_TYPES[kind].unit for kind in self.types))


class SignalPair(Config):
    """What a model reads and what it predicts."""

    input: SignalSpec
    target: SignalSpec
