"""Where targets lie in an image: a voxel each, or all voxels of a region."""

import csv
from pathlib import Path
from typing import Any, cast

import nibabel
import numpy as np
from nibabel.nifti1 import Nifti1Image
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.config.bold import AnyTargets, MapTargets, RegionTargets, SphereTargets, VoxelTargets
from crossmodal.config.signal_spec import Regions, SignalSpec, Voxels
from crossmodal.physics.spheres import load_spheres, number_spheres

MASK = "target_mask.nii.gz"


def where_targets(targets: AnyTargets, target: SignalSpec, stored: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Tell where targets lie: their numbers, shape (X, Y, Z), or the weights of maps, shape (X, Y, Z, n_targets).

    Parameters
    ----------
    targets : VoxelTargets, RegionTargets, SphereTargets or MapTargets
        What they were taken from.
    target : SignalSpec
    stored : bool array, shape (X, Y, Z), optional
        Voxels that the dataset stores; None where targets are regions.

    Raises
    ------
    UserError
        As `regions_of` and `maps_of` do.
    """
    match targets:
        case RegionTargets() as settings:
            return regions_of(settings, target)
        case SphereTargets() as settings:
            return spheres_of(settings, target)
        case MapTargets() as settings:
            return maps_of(settings, target)
        case VoxelTargets():
            assert stored is not None
            return voxels_of(stored, target.names)


def voxels_of(mask: NDArray[np.bool_], names: tuple[str, ...]) -> NDArray[np.int32]:
    """Number the voxels that are targets, from 1 in C order, 0 elsewhere, shape (X, Y, Z).

    Parameters
    ----------
    mask : bool array, shape (X, Y, Z)
        Voxels that a dataset stores, in C order.
    names : tuple of str
        Of targets: positions among those stored.
    """
    positions = np.zeros(mask.sum(), dtype=np.int32)
    positions[[int(name) for name in names]] = np.arange(1, len(names) + 1)
    numbers = np.zeros(mask.shape, dtype=np.int32)
    numbers[mask] = positions
    return numbers


def regions_of(settings: RegionTargets, target: SignalSpec) -> NDArray[np.int32]:
    """Number the voxels of each region that is a target, from 1 in the order of targets, 0 elsewhere, shape (X, Y, Z).

    Parameters
    ----------
    settings : RegionTargets
        Names the atlas that targets were taken from; as then, it is resampled to the grid by nearest neighbours.
    target : SignalSpec
        Regions on a grid.

    Raises
    ------
    UserError
        The atlas cannot be read, or has other regions on this grid than the targets.
    """
    space = target.space
    assert isinstance(space, Regions)
    try:
        atlas = cast(Nifti1Image, nibabel.load(settings.atlas))
        numbers_of = _numbers_of(settings, atlas)
    except (OSError, ValueError, KeyError, nibabel.filebasedimages.ImageFileError) as error:
        raise UserError(
            f"{settings.atlas}: cannot be read as the atlas of the model's regions ({error}); put it back where it was"
        ) from error
    missing = [name for name in target.names if name not in numbers_of]
    if missing:
        raise UserError(
            f"{settings.atlas}: has no region '{missing[0]}', which the model predicts; give the atlas and labels that it was trained with"
        )
    found = np.rint(np.asarray(_on_grid(atlas, space, "nearest").dataobj, dtype=np.float64)).reshape(space.grid)
    painted = np.zeros(space.grid, dtype=np.int32)
    for index, name in enumerate(target.names):
        inside = found == numbers_of[name]
        if not inside.any():
            size = " x ".join(map(str, space.grid))
            raise UserError(
                f"{settings.atlas}: region '{name}' has no voxel on the model's grid of {size}; give the atlas that it was trained with, in"
                " the space of its images"
            )
        painted[inside] = index + 1
    return painted


def spheres_of(settings: SphereTargets, target: SignalSpec) -> NDArray[np.int32]:
    """Number the voxels of each sphere that is a target, as `regions_of` does those of regions."""
    space, spheres = target.space, load_spheres(settings.coordinates)
    assert isinstance(space, Regions)
    chosen = [spheres.names.index(name) for name in target.names]
    return number_spheres(spheres.centres_mm[chosen], settings.radius_mm, space.grid, affine_of(target))


def maps_of(settings: MapTargets, target: SignalSpec) -> NDArray[np.float32]:
    """Read the weights of each map that is a target, shape (X, Y, Z, n_targets).

    Parameters
    ----------
    settings : MapTargets
        Names the maps that targets were taken from; as then, they are resampled to the grid linearly.
    target : SignalSpec
        Regions on a grid.

    Raises
    ------
    UserError
        The maps cannot be read, or are not those of the targets.
    """
    space = target.space
    assert isinstance(space, Regions)
    try:
        maps = cast(Nifti1Image, nibabel.load(settings.maps))
        names = [_labels(settings.labels).get(number, str(number)) for number in range(1, maps.shape[3] + 1)]
        weights = np.asarray(_on_grid(maps, space, "linear").dataobj, dtype=np.float32)
    except (OSError, ValueError, KeyError, IndexError, nibabel.filebasedimages.ImageFileError) as error:
        raise UserError(
            f"{settings.maps}: cannot be read as the maps of the model's regions ({error}); put them back where they were"
        ) from error
    missing = [name for name in target.names if name not in names]
    if missing:
        raise UserError(
            f"{settings.maps}: has no region '{missing[0]}', which the model predicts; give the maps and labels that it was trained with"
        )
    return weights[..., [names.index(name) for name in target.names]]


def _on_grid(image: Nifti1Image, space: Regions, interpolation: str) -> Nifti1Image:
    """Resample an image to the grid of targets, unless it lies there."""
    from nilearn.image import resample_to_img

    grid = Nifti1Image(np.zeros(space.grid, dtype=np.int16), np.array(space.affine))
    if image.shape[:3] == space.grid and np.allclose(image.affine, grid.affine):
        return image
    return cast(Nifti1Image, resample_to_img(image, grid, interpolation=interpolation, force_resample=True, copy_header=True))


def strongest(weights: NDArray[np.float32]) -> NDArray[np.int32]:
    """Number each voxel by the map that has most weight there, from 1; 0 where none has any."""
    return np.where(weights.any(axis=-1), np.abs(weights).argmax(axis=-1) + 1, 0).astype(np.int32)


def _labels(path: str | None) -> dict[int, str]:
    if path is None:
        return {}
    with Path(path).open(newline="") as file:
        return {int(row["index"]): row["name"] for row in csv.DictReader(file, delimiter="\t")}


def _numbers_of(settings: RegionTargets, atlas: Nifti1Image) -> dict[str, int]:
    """Number of each region in an atlas, by its name."""
    numbers = [int(number) for number in np.unique(np.rint(np.asarray(atlas.dataobj, dtype=np.float64))) if number]
    labels = _labels(settings.labels)
    return {labels.get(number, str(number)): number for number in numbers}


def affine_of(target: SignalSpec) -> NDArray[np.float64]:
    """From voxels of the targets' grid to mm, shape (4, 4)."""
    assert isinstance(target.space, Regions | Voxels)
    return np.array(target.space.affine)


def load_mask(path: Path) -> NDArray[np.bool_]:
    """Read which voxels are targets, shape (X, Y, Z)."""
    return np.asarray(cast(Nifti1Image, nibabel.load(path)).dataobj) > 0


def paint(values_s: NDArray[np.floating], where: NDArray[np.int32] | NDArray[np.float32], elsewhere: float = 0.0) -> NDArray[np.float32]:
    """Give each voxel the value of its target, or the sum of all targets by the weights that they have there, shape (X, Y, Z).

    Parameters
    ----------
    values_s : array, shape (n_targets,)
    where : int array, shape (X, Y, Z), or float array, shape (X, Y, Z, n_targets)
        Numbers of targets, from 1, 0 where there is none; or weights.
    elsewhere : float
        Where no target is.
    """
    if where.ndim == 4:
        return np.where(where.any(axis=-1), where @ values_s.astype(np.float32), np.float32(elsewhere))
    return np.concatenate([[elsewhere], values_s]).astype(np.float32)[where]
