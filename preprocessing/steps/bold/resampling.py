"""Bring images to a grid that recordings share."""

import numpy as np
from nibabel.nifti1 import Nifti1Image
from nibabel.spatialimages import SpatialImage
from nilearn.image import resample_img
from numpy.typing import NDArray

VERSION = 1

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
