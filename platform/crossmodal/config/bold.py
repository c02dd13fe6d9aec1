"""What is done to BOLD images before they become shards."""

from typing import Annotated, Literal

from pydantic import Field

from crossmodal.config.base import Config


class VoxelTargets(Config):
    """Every voxel, or those of a mask that all recordings share."""

    kind: Literal["voxels"] = "voxels"
    mask: str | None = Field(
        None, description="NIfTI on the images' grid; None stores all voxels, and beside them each recording's own brain mask"
    )


class RegionTargets(Config):
    """The mean over each region of an atlas."""

    kind: Literal["regions"] = "regions"
    atlas: str = Field(description="NIfTI of whole numbers, 0 outside regions, on the images' grid")
    labels: str | None = Field(None, description="TSV with the columns index and name, a row a region; None names regions by their number")


class SphereTargets(Config):
    """The mean over spheres around published coordinates, which come with nilearn: no download."""

    kind: Literal["spheres"] = "spheres"
    coordinates: Literal["power_264", "dosenbach_160", "seitzman_300"] = Field(description="in MNI space, so that images must be there")
    radius_mm: float = Field(5.0, gt=0)
    left_out: tuple[str, ...] = Field((), description="names of spheres that images do not reach")


class MapTargets(Config):
    """How strongly each map of a probabilistic atlas is in a volume, by least squares over all maps."""

    kind: Literal["maps"] = "maps"
    maps: str = Field(description="NIfTI of weights, a volume a region as DiFuMo has it, in the space of the images")
    labels: str | None = Field(
        None, description="TSV with the columns index (from 1) and name, and network where it is known; None names regions by their number"
    )


AnyTargets = VoxelTargets | RegionTargets | SphereTargets | MapTargets


class Bold(Config):
    """The steps from an image to targets, in the order they run."""

    grid: str | None = Field(
        None, description="NIfTI to whose grid images, atlas and mask are resampled, as an MNI template; None keeps each its own"
    )
    fd_mm: float | None = Field(0.5, gt=0, description="volumes after a greater framewise displacement are masked; None masks none")
    dvars_iqr: float | None = Field(1.5, gt=0, description="the same beyond so many interquartile ranges of DVARS above the third quartile")
    detrend_order: int = Field(1, ge=0, le=10, description="polynomial drift removed from each target, keeping its mean; 0 removes none")
    targets: Annotated[AnyTargets, Field(discriminator="kind")] = VoxelTargets()

    @property
    def files(self) -> tuple[str, ...]:
        """Files that the settings name."""
        named = {name: getattr(self.targets, name, None) for name in ("mask", "atlas", "maps", "labels")}
        return tuple(path for path in (self.grid, *named.values()) if path)


class GradientCorrection(Config):
    """Average template subtraction of the scanner's gradients from raw EEG."""

    epochs: int = Field(25, ge=2, description="neighbouring volumes whose mean is a volume's template")
