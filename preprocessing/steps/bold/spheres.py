"""Targets without an atlas: means over spheres around published coordinates."""

import numpy as np
from nibabel.nifti1 import Nifti1Image
from nibabel.spatialimages import SpatialImage
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.config.bold import SphereTargets
from crossmodal.physics.spheres import load_spheres, sphere_voxels
from preprocessing.steps.bold.targets import Targets, check_inside

VERSION = 1

_MOST_NAMED = 5


def sphere_targets(image: SpatialImage, brain: NDArray[np.bool_], settings: SphereTargets, called: str) -> Targets:
    """Average the image over the voxels of each sphere that hold anything, as over the regions of an atlas.

    Parameters
    ----------
    image : SpatialImage
        A series of volumes in MNI space.
    brain : bool array, shape (X, Y, Z)
    settings : SphereTargets
    called : str
        What sentences call the recording.

    Raises
    ------
    UserError
        A sphere has no voxel in the image that holds anything, or one that is to be left out does not exist, and the sentence names it;
        or most of all spheres lie outside the brain.
    """
    spheres = load_spheres(settings.coordinates)
    unknown = [name for name in settings.left_out if name not in spheres.names]
    if unknown:
        raise UserError(
            f"preprocessing.bold.targets.left_out: {settings.coordinates} has no '{unknown[0]}'; it has {spheres.names[0]} and more"
        )
    kept = [index for index, name in enumerate(spheres.names) if name not in settings.left_out]
    voxels_of = sphere_voxels(spheres.centres_mm[kept], settings.radius_mm, image.shape[:3], np.asarray(image.affine, dtype=np.float64))
    data_xv = np.asarray(image.dataobj).reshape(-1, image.shape[3])
    is_reached_x = np.any(data_xv, axis=1)
    reached = [voxels[is_reached_x[voxels]] for voxels in voxels_of]
    names = tuple(spheres.names[index] for index in kept)
    absent = [name for name, voxels in zip(names, reached, strict=True) if not len(voxels)]
    if absent:
        listed = ", ".join(f"'{name}'" for name in absent[:_MOST_NAMED]) + (" and others" if len(absent) > _MOST_NAMED else "")
        raise UserError(
            f"{called}: {len(absent)} of {len(names)} spheres lie outside the image or where it is zero ({listed}); coordinates are in"
            " MNI space: bring the images there (recordings.transforms), or name these in preprocessing.bold.targets.left_out"
        )
    marked_x = np.zeros(len(data_xv), dtype=np.int8)
    marked_x[np.concatenate(voxels_of)] = 1
    check_inside(Nifti1Image(marked_x.reshape(image.shape[:3]), image.affine), brain, "coordinates", called)
    means_vs = np.stack([data_xv[voxels].mean(axis=0, dtype=np.float64) for voxels in reached], axis=1)
    networks = tuple(spheres.networks[index] for index in kept)
    return Targets(np.ascontiguousarray(means_vs, dtype=np.float32), names, None, networks if any(networks) else None)
