"""Targets of a probabilistic atlas: how strongly each of its maps is in each volume."""

import numpy as np
from nibabel.nifti1 import Nifti1Image
from nibabel.spatialimages import SpatialImage
from nilearn.maskers import NiftiMapsMasker

from crossmodal.config import UserError
from preprocessing.steps.bold.targets import Targets

VERSION = 1


def map_targets(image: SpatialImage, maps: SpatialImage, names: tuple[str, ...], called: str) -> Targets:
    """Fit each volume by the maps, by least squares over the voxels that hold anything, as nilearn does.

    Maps may overlap, so that a mean over each would mix them.

    Parameters
    ----------
    image : SpatialImage
        A series of volumes.
    maps : SpatialImage
        A volume of weights a region, on the grid of the image.
    names : tuple of str
        Of its regions.
    called : str
        What sentences call the recording.

    Raises
    ------
    UserError
        A map has no weight where the image holds anything; the sentence names it.
    """
    reached = np.asarray(image.dataobj).any(axis=3)
    weights_xs = np.asarray(maps.dataobj)[reached]
    absent = [name for name, has_weight in zip(names, np.any(weights_xs, axis=0), strict=True) if not has_weight]
    if absent:
        raise UserError(
            f"{called}: the map of region {', '.join(absent[:5])} has no weight where the image holds anything; check that both are in the"
            " same space, and that the image reaches so far"
        )
    mask = Nifti1Image(reached.astype(np.int8), image.affine)
    masker = NiftiMapsMasker(maps, mask, resampling_target=None, standardize=None, keep_masked_maps=False)
    return Targets(np.ascontiguousarray(masker.fit_transform(image), dtype=np.float32), names, None)
