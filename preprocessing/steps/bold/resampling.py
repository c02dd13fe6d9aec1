"""Bring images to a grid that recordings share, and atlas and mask to that of the images."""

import itertools

import numpy as np
from nibabel.affines import apply_affine, voxel_sizes
from nibabel.nifti1 import Nifti1Image
from nibabel.spatialimages import SpatialImage
from nilearn.image import resample_img, resample_to_img
from numpy.typing import NDArray

from crossmodal.config import UserError

VERSION = 1

# Headers round affines to float32; grids that differ by less than this share of a voxel are one.
_SAME_GRID = 1e-2

NATIVE_WARNING = (
    "stays in its own space (no recordings.transforms): a voxel is another place in each head, so leaving a subject out confounds"
    " function with head position"
)


def to_grid(image: SpatialImage, grid: SpatialImage | None, transform: NDArray[np.float64] | None) -> tuple[SpatialImage, list[str]]:
    """Move an image by its transform and resample it linearly.

    Parameters
    ----------
    image : SpatialImage
        One volume or a series.
    grid : SpatialImage, optional
        Its shape and affine are taken; None keeps the image's own voxels.
    transform : float64 array, shape (4, 4), optional
        From the image's world coordinates to those of the common space, mm; None where the image stays in its own.

    Returns
    -------
    image : SpatialImage
    notes : list of str
        Sentences that the run should say.
    """
    notes = [] if transform is not None else [NATIVE_WARNING]
    if transform is not None:
        image = Nifti1Image(np.asarray(image.dataobj, dtype=np.float32), transform @ image.affine)
    if grid is not None:
        # Scanners write whole numbers, between which there would be nothing to interpolate to.
        image = Nifti1Image(np.asarray(image.dataobj, dtype=np.float32), image.affine)
        image = resample_img(image, grid.affine, grid.shape[:3], interpolation="linear")
    return image, notes


def to_image(labels: SpatialImage, image: SpatialImage, is_common: bool, setting: str, called: str) -> SpatialImage:
    """Bring an atlas or a mask to the grid of an image.

    Parameters
    ----------
    labels : SpatialImage
        A number a voxel.
    image : SpatialImage
        A series of volumes.
    is_common : bool
        The image lies on the grid that the settings ask for. Then atlas and mask are brought to it, too, by nearest neighbours.
    setting : str
        'atlas' or 'mask'.
    called : str
        What sentences call the recording.

    Returns
    -------
    SpatialImage
        With the image's shape and affine.

    Raises
    ------
    UserError
        The labels are no single volume, or have other voxels than the image while no common grid is asked for. To store the same
        voxels in another order is no difference.
    """
    if any(size != 1 for size in labels.shape[3:]) or len(labels.shape) < 3:
        raise UserError(f"preprocessing.bold.targets.{setting}: has shape {labels.shape}; give one volume with a number a voxel, 0 outside")
    labels = _brought(labels, image, is_common, setting, called, "nearest")
    return Nifti1Image(np.asarray(labels.dataobj).reshape(image.shape[:3]), image.affine)


def maps_to_image(maps: SpatialImage, image: SpatialImage, is_common: bool, called: str) -> SpatialImage:
    """Bring the maps of a probabilistic atlas, a volume a region, to the grid of an image, as `to_image` does, but linearly.

    Raises
    ------
    UserError
        The maps are no series of volumes, hold values that are not finite, or are on another grid while no common one is asked for.
    """
    if len(maps.shape) != 4:
        raise UserError(f"preprocessing.bold.targets.maps: has shape {maps.shape}; give a volume of weights a region")
    maps = Nifti1Image(np.asarray(maps.dataobj, dtype=np.float32), maps.affine)
    if not np.isfinite(np.asarray(maps.dataobj)).all():
        raise UserError("preprocessing.bold.targets.maps: holds values that are not finite; set them to 0")
    maps = _brought(maps, image, is_common, "maps", called, "linear")
    return Nifti1Image(np.asarray(maps.dataobj), image.affine)


def _brought(labels: SpatialImage, image: SpatialImage, is_common: bool, setting: str, called: str, interpolation: str) -> SpatialImage:
    shape, near_mm = image.shape[:3], _SAME_GRID * voxel_sizes(image.affine).min()
    apart_mm = np.linalg.norm(_corners_mm(labels)[:, None] - _corners_mm(image), axis=2)
    has_same_voxels = sorted(labels.shape[:3]) == sorted(shape) and apart_mm.min(axis=1).max() < near_mm
    if not (is_common or has_same_voxels):
        raise UserError(
            f"{called}: preprocessing.bold.targets.{setting} is on another grid, {_described(labels)}, than the image, {_described(image)};"
            f" name the grid that both are to be brought to in preprocessing.bold.grid, as the {setting} itself"
        )
    if labels.shape[:3] != shape or apart_mm.diagonal().max() >= near_mm:
        labels = resample_to_img(labels, image, interpolation=interpolation, force_resample=True, copy_header=True)
    return labels


def _corners_mm(image: SpatialImage) -> NDArray[np.float64]:
    """Centres of the outermost voxels, shape (8, 3)."""
    return apply_affine(image.affine, list(itertools.product(*((0, size - 1) for size in image.shape[:3]))))


def _described(image: SpatialImage) -> str:
    """Tell a grid: voxels, their size, and where the first one lies."""
    voxels = " x ".join(map(str, image.shape[:3]))
    size_mm = " x ".join(f"{size:.3g}" for size in voxel_sizes(image.affine))
    return f"{voxels} voxels of {size_mm} mm from ({', '.join(f'{mm:.4g}' for mm in image.affine[:3, 3])}) mm"
