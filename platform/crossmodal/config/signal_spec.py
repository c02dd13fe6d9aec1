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
    """

    kind: Literal["voxels"] = "voxels"
    grid: tuple[int, int, int]
    affine: Affine
    runs: tuple[int, ...]

    @classmethod
    def of(cls, mask: NDArray[np.bool_], affine: Affine) -> Self:
        """Describe the voxels of a mask, shape (X, Y, Z)."""
        changes = np.flatnonzero(np.diff(mask.ravel(), prepend=False))
        return cls(grid=mask.shape, affine=affine, runs=tuple(np.diff(changes, prepend=0, append=mask.size).tolist()))

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Voxels that are described, shape (X, Y, Z)."""
        return np.repeat(np.arange(len(self.runs)) % 2 == 1, self.runs).reshape(self.grid)


class Cortex(Config):
    """Regions of a template's cortical surface."""

    kind: Literal["cortex"] = "cortex"
    surface: str = "fsaverage5"


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
