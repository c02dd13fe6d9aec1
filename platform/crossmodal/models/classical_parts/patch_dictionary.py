"""Patches of the template cortex, spread evenly, as a dictionary of what may be active.

Shape suffixes: a patch, s centre, d dipole, v vertex of the mesh.
"""

import functools
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from crossmodal.config.patches import Disc
from crossmodal.physics.cortex import template_cortex
from crossmodal.physics.cortex_mesh import cortex_mesh
from crossmodal.physics.geometry import farthest_points
from crossmodal.physics.patches import draw_patches

# A patch ends at so many standard deviations from its centre.
_REACH = 2.0
# Dipoles are vertices of the same mesh, which leaves out those of the medial wall.
_SAME_PLACE_M = 1e-6
_SIMULATED_GRADE, _SEED = 4, 0
# In place of the number of a vertex.
_NO_CORTEX = -1


@dataclass(frozen=True)
class PatchDictionary:
    """Patches whose moment falls off from the centre as a Gaussian of the distance along the cortex.

    Attributes
    ----------
    weights_ad : Tensor, shape (n_patches, n_dipoles)
        Moment of each dipole in a patch of unit moment.
    centres_a3 : Tensor, shape (n_patches, 3)
        On the template, m.
    """

    weights_ad: torch.Tensor
    centres_a3: torch.Tensor


@functools.lru_cache(maxsize=8)
def patch_dictionary(n_dipoles: int, n_centres: int, spreads_m: tuple[float, ...]) -> PatchDictionary:
    """Lay patches around centres that are spread evenly, at each of them one of each size.

    Parameters
    ----------
    n_dipoles : int
        Of the template's cortex; those of the medial wall are in no patch.
    n_centres : int
    spreads_m : tuple of float
        Standard deviations of the Gaussians, m; patches end at twice that.
    """
    vertex_d, centre_s = _dipoles_and_centres(n_dipoles, n_centres)
    centres_a3 = np.tile(cortex_mesh(5).positions_m[centre_s], (len(spreads_m), 1))
    return PatchDictionary(torch.from_numpy(_gaussians(vertex_d, centre_s, spreads_m)), torch.from_numpy(centres_a3))


def patches_over(
    vertices: tuple[NDArray[np.int64], NDArray[np.int64]], n_dipoles: int, n_centres: int, spreads_m: tuple[float, ...]
) -> torch.Tensor:
    """Lay the patches of a dictionary over vertices of fsaverage5's left and right hemisphere in place of its dipoles; all count alike.

    Returns
    -------
    Tensor, shape (n_patches, n_vertices)
        Moment of a dipole at each vertex in a patch of unit moment; NaN of a patch that no vertex lies in.
    """
    mesh, in_mesh = cortex_mesh(5), []
    for position, (in_cortex, chosen) in enumerate(zip(mesh.vertices, vertices, strict=True)):
        number_of = np.full(max(in_cortex.max(), chosen.max(initial=0)) + 1, _NO_CORTEX)
        number_of[in_cortex] = np.arange(len(in_cortex)) + position * len(mesh.vertices[0])
        in_mesh.append(number_of[chosen])
    return torch.from_numpy(_gaussians(np.concatenate(in_mesh), _dipoles_and_centres(n_dipoles, n_centres)[1], spreads_m))


def _dipoles_and_centres(n_dipoles: int, n_centres: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Vertex of the mesh at each of the template's dipoles, and at each of the centres that are spread evenly over them."""
    positions_m = template_cortex(n_dipoles).positions_m
    away_m, vertex_d = cKDTree(cortex_mesh(5).positions_m).query(positions_m)
    cortical = np.flatnonzero(away_m < _SAME_PLACE_M)
    centre_s = vertex_d[cortical[farthest_points(positions_m[cortical], n_centres)]]
    return np.where(away_m < _SAME_PLACE_M, vertex_d, _NO_CORTEX), centre_s


def _gaussians(vertex_d: NDArray[np.intp], centre_s: NDArray[np.intp], spreads_m: tuple[float, ...]) -> NDArray[np.float64]:
    """Weights (n_patches, n_dipoles) of dipoles at vertices of the mesh, around other vertices, of one size after another."""
    cortical = np.flatnonzero(vertex_d != _NO_CORTEX)
    distance_sd = np.full((len(centre_s), len(vertex_d)), np.inf)
    from_centres_sv = dijkstra(cortex_mesh(5).edges_m, indices=centre_s, limit=_REACH * max(spreads_m))
    distance_sd[:, cortical] = from_centres_sv[:, vertex_d[cortical]]
    weights_ad = np.concatenate([np.where(distance_sd <= _REACH * sd, np.exp(-((distance_sd / sd) ** 2) / 2), 0) for sd in spreads_m])
    with np.errstate(invalid="ignore"):
        weights_ad /= weights_ad.sum(axis=1, keepdims=True)
    return weights_ad


@functools.lru_cache(maxsize=8)
def disc_dictionary(n_dipoles: int, n_centres: int) -> PatchDictionary:
    """Draw discs as the simulator of patches does, around centres that are spread evenly: a dictionary without a mistake about shapes.

    Parameters
    ----------
    n_dipoles : int
        Of the template's cortex; each takes what lies nearer to it than to others.
    n_centres : int
    """
    mesh = cortex_mesh(_SIMULATED_GRADE)
    centres = farthest_points(mesh.positions_m, n_centres)
    moments_av = csr_array(draw_patches(mesh, (Disc(),), centres, _SEED).multiply(mesh.areas_m2))
    dipole_v = cKDTree(template_cortex(n_dipoles).positions_m).query(mesh.positions_m)[1]
    to_dipoles_vd = csr_array((np.ones(len(mesh)), (np.arange(len(mesh)), dipole_v)), shape=(len(mesh), n_dipoles))
    weights_ad = (moments_av @ to_dipoles_vd).toarray()
    weights_ad /= weights_ad.sum(axis=1, keepdims=True)
    return PatchDictionary(torch.from_numpy(weights_ad), torch.from_numpy(mesh.positions_m[centres]))


def nearness(centres_n3: torch.Tensor, reach_m: float) -> torch.Tensor:
    """Weights of a mean over the others around each of some centres, a Gaussian of their distance, shape (n, n)."""
    weight_nn = torch.exp(-((torch.cdist(centres_n3, centres_n3) / reach_m) ** 2) / 2).fill_diagonal_(0)
    return weight_nn / weight_nn.sum(1, keepdim=True)
