"""Patches of the template cortex, spread evenly, as a dictionary of what may be active.

Shape suffixes: a patch, s centre, d dipole, v vertex of the mesh.
"""

import functools
from dataclasses import dataclass

import numpy as np
import torch
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
    positions_m, mesh = template_cortex(n_dipoles).positions_m, cortex_mesh(5)
    away_m, vertex_d = cKDTree(mesh.positions_m).query(positions_m)
    cortical = np.flatnonzero(away_m < _SAME_PLACE_M)
    centre_s = cortical[farthest_points(positions_m[cortical], n_centres)]
    distance_sd = np.full((n_centres, n_dipoles), np.inf)
    from_centres_sv = dijkstra(mesh.edges_m, indices=vertex_d[centre_s], limit=_REACH * max(spreads_m))
    distance_sd[:, cortical] = from_centres_sv[:, vertex_d[cortical]]
    weights_ad = np.concatenate([np.where(distance_sd <= _REACH * sd, np.exp(-((distance_sd / sd) ** 2) / 2), 0) for sd in spreads_m])
    weights_ad /= weights_ad.sum(axis=1, keepdims=True)
    return PatchDictionary(torch.from_numpy(weights_ad), torch.from_numpy(np.tile(positions_m[centre_s], (len(spreads_m), 1))))


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
