"""What is predicted: voxels, or means over the regions of an atlas."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from nibabel.nifti1 import Nifti1Image
from nibabel.spatialimages import SpatialImage
from nilearn.maskers import NiftiLabelsMasker
from nilearn.masking import compute_epi_mask
from numpy.typing import NDArray

from crossmodal.config import UserError

VERSION = 3

# Of an atlas or of a brain, whichever is smaller: either may reach beyond the other, but not with most of its volume.
_LEAST_SHARED = 0.5


@dataclass(frozen=True)
class Targets:
    """Targets of one image.

    Attributes
    ----------
    data_vs : float32 array, shape (n_volumes, n_targets)
        In the image's own unit, which no scanner defines, until it is brought to per cent.
    names : tuple of str, optional
        Of regions; None for voxels.
    stored : bool array, shape of the grid, optional
        Voxels that are targets, in C order; None for regions.
    networks : tuple of str, optional
        Of regions, where they are known.
    """

    data_vs: NDArray[np.float32]
    names: tuple[str, ...] | None
    stored: NDArray[np.bool_] | None
    networks: tuple[str, ...] | None = None


def mean_volume(image: SpatialImage, good: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Average the good volumes of a series, or all where none is good, shape (X, Y, Z)."""
    weight_v = (good if good.any() else ~good).astype(np.float32)
    # A product makes no copy of the good volumes.
    return np.asarray(np.asarray(image.dataobj) @ (weight_v / weight_v.sum()))


def brain_mask(mean: NDArray[np.floating], affine: NDArray[np.floating], called: str) -> NDArray[np.bool_]:
    """Tell brain from background by the histogram of the mean volume, as nilearn does.

    Parameters
    ----------
    mean : array, shape (X, Y, Z)
        As `mean_volume` gives it.
    affine : array, shape (4, 4)
        From voxels to mm.
    called : str
        What sentences call the recording.

    Raises
    ------
    UserError
        The image holds nothing.
    """
    if mean.min() == mean.max():
        raise UserError(f"{called}: the image is the same everywhere, there is no brain in it; replace the file or leave it out")
    return np.asarray(compute_epi_mask(Nifti1Image(mean, affine), opening=False).dataobj).astype(bool)


def voxel_targets(image: SpatialImage, mask: SpatialImage | None, called: str) -> Targets:
    """Take the voxels of a mask on the image's grid, or all of them."""
    stored = np.ones(image.shape[:3], dtype=bool)
    if mask is not None:
        stored = np.asarray(mask.dataobj) > 0
        if not stored.any():
            raise UserError(f"{called}: no voxel lies inside preprocessing.bold.targets.mask; check that both are in the same space")
    data_sv = np.asarray(image.dataobj)[stored]
    return Targets(np.ascontiguousarray(data_sv.T, dtype=np.float32), None, stored)


def region_targets(image: SpatialImage, atlas: SpatialImage, names: Mapping[int, str], called: str) -> Targets:
    """Average the image over the voxels of each region that hold anything: on a grid, those that the scanner did not reach are zero.

    Parameters
    ----------
    image : SpatialImage
        A series of volumes.
    atlas : SpatialImage
        Whole numbers on the image's grid.
    names : mapping of int to str
        Of all regions by their number, in order, those too that have no voxel on this grid.
    called : str
        What sentences call the recording.

    Raises
    ------
    UserError
        A region of the atlas has no voxel in the image that holds anything; the sentence names it.
    """
    reached = _without_empty(atlas, image)
    present = set(region_numbers(reached))
    absent = [name for number, name in names.items() if number not in present]
    if absent:
        raise UserError(
            f"{called}: no voxel of the image lies in region {', '.join(absent[:5])} of the atlas, or all are zero; check that both"
            " are in the same space, and that the image reaches so far"
        )
    means_vs = NiftiLabelsMasker(reached, standardize=None).fit_transform(image)
    return Targets(np.ascontiguousarray(means_vs, dtype=np.float32), tuple(names.values()), None)


def region_numbers(atlas: SpatialImage) -> list[int]:
    """Numbers of the regions of an atlas of whole numbers, on any grid, in order."""
    return [int(number) for number in np.unique(np.rint(np.asarray(atlas.dataobj, dtype=np.float64))) if number]


def region_names(numbers: Iterable[int], labels: Mapping[int, str] | None) -> dict[int, str]:
    """Name the regions of an atlas by their number, in the order given.

    Parameters
    ----------
    numbers : iterable of int
        Of the regions; of a probabilistic atlas those of its maps, from 1.
    labels : mapping of int to str, optional
        Names by number; None names regions by their number.

    Raises
    ------
    UserError
        The labels are those of another atlas: they lack a region, or name two alike.
    """
    if labels is None:
        return {number: str(number) for number in numbers}
    names = {}
    for number in numbers:
        if number not in labels:
            raise UserError(
                f"preprocessing.bold.targets.labels: has no row for region {number} of the atlas; give the labels of this atlas, or none"
            )
        names[number] = labels[number]
    alike = [name for name, count in Counter(names.values()).items() if count > 1]
    if alike:
        raise UserError(f"preprocessing.bold.targets.labels: gives two regions of the atlas the name '{alike[0]}'; tell them apart")
    return names


def check_inside(labels: SpatialImage, brain: NDArray[np.bool_], setting: str, called: str) -> None:
    """Refuse an atlas or a mask that lies elsewhere than the brain, as one of another space does.

    Parameters
    ----------
    labels : SpatialImage
        On the image's grid.
    brain : bool array, shape (X, Y, Z)
    setting : str
        'atlas' or 'mask'.
    """
    marked = np.asarray(labels.dataobj) > 0
    share = (marked & brain).sum() / max(min(marked.sum(), brain.sum()), 1)
    if marked.any() and share < _LEAST_SHARED:
        raise UserError(
            f"{called}: preprocessing.bold.targets.{setting} and the brain of the image share {share:.0%} of the smaller of both; give"
            f" {setting} and images in one space, or set recordings.transforms"
        )


def _without_empty(labels: SpatialImage, image: SpatialImage) -> SpatialImage:
    """Take voxels that are zero in all volumes out of all regions."""
    is_empty = ~np.asarray(image.dataobj).any(axis=3)
    numbers = np.rint(np.asarray(labels.dataobj, dtype=np.float64))
    return Nifti1Image(np.where(is_empty, 0, numbers).astype(np.int32), image.affine)
