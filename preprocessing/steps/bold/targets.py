"""What is predicted: voxels, or means over the regions of an atlas."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from nibabel.nifti1 import Nifti1Image
from nibabel.spatialimages import SpatialImage
from nilearn.image import resample_to_img
from nilearn.maskers import NiftiLabelsMasker
from nilearn.masking import compute_epi_mask
from numpy.typing import NDArray

from crossmodal.config import UserError

VERSION = 3


@dataclass(frozen=True)
class Targets:
    """Targets of one image.

    Attributes
    ----------
    data_vs : float32 array, shape (n_volumes, n_targets)
        In the image's own unit, which no scanner defines.
    names : tuple of str, optional
        Of regions; None for voxels.
    stored : bool array, shape of the grid, optional
        Voxels that are targets, in C order; None for regions.
    """

    data_vs: NDArray[np.float32]
    names: tuple[str, ...] | None
    stored: NDArray[np.bool_] | None


def brain_mask(image: SpatialImage, good: NDArray[np.bool_], called: str) -> NDArray[np.bool_]:
    """Tell brain from background by the histogram of the mean volume, as nilearn does.

    Parameters
    ----------
    image : SpatialImage
        A series of volumes.
    good : bool array, shape (n_volumes,)
        Volumes that the mean is over; all, where none is good.
    called : str
        What sentences call the recording.

    Raises
    ------
    UserError
        The image holds nothing.
    """
    weight_v = (good if good.any() else ~good).astype(np.float32)
    # A product makes no copy of the good volumes.
    mean = Nifti1Image(np.asarray(image.dataobj) @ (weight_v / weight_v.sum()), image.affine)
    values = np.asarray(mean.dataobj)
    if values.min() == values.max():
        raise UserError(f"{called}: the image is the same everywhere, there is no brain in it; replace the file or leave it out")
    return np.asarray(compute_epi_mask(mean, opening=False).dataobj).astype(bool)


def voxel_targets(image: SpatialImage, mask: SpatialImage | None, called: str) -> Targets:
    """Take the voxels of a mask, resampled to the image's grid, or all of them."""
    stored = np.ones(image.shape[:3], dtype=bool)
    if mask is not None:
        stored = np.asarray(_on_grid(mask, image).dataobj).reshape(stored.shape) > 0
        if not stored.any():
            raise UserError(f"{called}: no voxel lies inside preprocessing.bold.targets.mask; check that both are in the same space")
    data_sv = np.asarray(image.dataobj)[stored]
    return Targets(np.ascontiguousarray(data_sv.T, dtype=np.float32), None, stored)


def region_targets(image: SpatialImage, atlas: SpatialImage, labels: Mapping[int, str], called: str) -> Targets:
    """Average the image over the voxels of each region that hold anything: on a grid, those that the scanner did not reach are zero.

    Parameters
    ----------
    image : SpatialImage
        A series of volumes.
    atlas : SpatialImage
        Whole numbers; resampled to the image's grid by nearest neighbours.
    labels : mapping of int to str
        Names of regions; those it lacks are named by their number.
    called : str
        What sentences call the recording.

    Raises
    ------
    UserError
        A region of the atlas has no voxel in the image that holds anything; the sentence names it.
    """
    numbers = _region_numbers(atlas)
    names = tuple(labels.get(number, str(number)) for number in numbers)
    on_grid = _without_empty(_on_grid(atlas, image), image)
    present = set(_region_numbers(on_grid))
    absent = [name for name, number in zip(names, numbers, strict=True) if number not in present]
    if absent:
        raise UserError(
            f"{called}: no voxel of the image lies in region {', '.join(absent[:5])} of the atlas, or all are zero; check that both"
            " are in the same space, and that the image reaches so far"
        )
    means_vs = NiftiLabelsMasker(on_grid, standardize=None).fit_transform(image)
    return Targets(np.ascontiguousarray(means_vs, dtype=np.float32), names, None)


def _region_numbers(atlas: SpatialImage) -> list[int]:
    """Numbers of an atlas's regions in order."""
    return [int(number) for number in np.unique(np.rint(np.asarray(atlas.dataobj, dtype=np.float64))) if number]


def _without_empty(labels: SpatialImage, image: SpatialImage) -> SpatialImage:
    """Take voxels that are zero in all volumes out of all regions."""
    is_empty = ~np.asarray(image.dataobj).any(axis=3)
    numbers = np.rint(np.asarray(labels.dataobj, dtype=np.float64)).reshape(is_empty.shape)
    return Nifti1Image(np.where(is_empty, 0, numbers).astype(np.int32), image.affine)


def _on_grid(labels: SpatialImage, image: SpatialImage) -> SpatialImage:
    if labels.shape[:3] == image.shape[:3] and np.allclose(labels.affine, image.affine):
        return labels
    return resample_to_img(labels, image, interpolation="nearest", force_resample=True, copy_header=True)
