"""Spheres around published coordinates of brain regions, which nilearn brings along: regions without a download."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Coordinates = Literal["power_264", "dosenbach_160", "seitzman_300"]


@dataclass(frozen=True)
class Spheres:
    """Centres of regions.

    Attributes
    ----------
    names, networks : tuple of str
        In the order in which they were published; a network is empty where none was published.
    centres_mm : float64 array, shape (n_regions, 3)
        In MNI space.
    """

    names: tuple[str, ...]
    networks: tuple[str, ...]
    centres_mm: NDArray[np.float64]


def load_spheres(coordinates: Coordinates) -> Spheres:
    """Read coordinates that nilearn holds as files of its own.

    Source: Power et al. (2011), Neuron 72:665-678; Dosenbach et al. (2010), Science 329:1358-1361; Seitzman et al. (2020), NeuroImage
    206:116290. Of Power's, nilearn has no networks.
    """
    from nilearn import datasets

    match coordinates:
        case "power_264":
            rois = datasets.fetch_coords_power_2011().rois
            names = tuple(f"power {number}" for number in rois["roi"])
            networks = ("",) * len(names)
        case "dosenbach_160":
            found = datasets.fetch_coords_dosenbach_2010(ordered_regions=False)
            rois, names, networks = found.rois, tuple(found.labels), tuple(found.networks)
        case "seitzman_300":
            found = datasets.fetch_coords_seitzman_2018(ordered_regions=False)
            rois, networks = found.rois, tuple(found.networks)
            names = tuple(
                f"{network} {region} {number}" for number, (network, region) in enumerate(zip(networks, found.regions, strict=True), 1)
            )
    return Spheres(names, networks, rois[["x", "y", "z"]].to_numpy(np.float64))


def sphere_voxels(
    centres_mm: NDArray[np.float64], radius_mm: float, grid: Sequence[int], affine: NDArray[np.float64]
) -> list[NDArray[np.intp]]:
    """Find the voxels of each sphere: those whose centre is within its radius, and the one that its own centre lies in.

    Parameters
    ----------
    centres_mm : float64 array, shape (n_regions, 3)
    radius_mm : float
    grid : sequence of int
        Shape (X, Y, Z) of the images.
    affine : float64 array, shape (4, 4)
        From voxels to mm.

    Returns
    -------
    list of int array
        Of each sphere, positions in the flattened grid (C order), in order; none where it lies outside.
    """
    indices = np.indices(tuple(grid)).reshape(3, -1).T
    tree = cKDTree(indices @ affine[:3, :3].T + affine[:3, 3])
    within = tree.query_ball_point(centres_mm, radius_mm)
    own = np.rint((centres_mm - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T).astype(np.intp)
    holds = np.all((own >= 0) & (own < grid), axis=1)
    return [
        np.unique([*found, *([np.ravel_multi_index(tuple(voxel), tuple(grid))] if inside else [])]).astype(np.intp)
        for found, voxel, inside in zip(within, own, holds, strict=True)
    ]


def number_spheres(
    centres_mm: NDArray[np.float64], radius_mm: float, grid: Sequence[int], affine: NDArray[np.float64]
) -> NDArray[np.int32]:
    """Number the voxels of each sphere from 1, 0 elsewhere, shape (X, Y, Z); a voxel of several is the nearest one's."""
    numbers, nearest_mm = np.zeros(np.prod(grid), dtype=np.int32), np.full(np.prod(grid), np.inf)
    for number, voxels in enumerate(sphere_voxels(centres_mm, radius_mm, grid, affine), start=1):
        places_mm = np.stack(np.unravel_index(voxels, tuple(grid)), axis=1) @ affine[:3, :3].T + affine[:3, 3]
        apart_mm = np.linalg.norm(places_mm - centres_mm[number - 1], axis=1)
        nearer = apart_mm < nearest_mm[voxels]
        numbers[voxels[nearer]], nearest_mm[voxels[nearer]] = number, apart_mm[nearer]
    return numbers.reshape(tuple(grid))
