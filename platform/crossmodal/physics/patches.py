"""Patches of cortex: connected vertices that are active together, grown along the surface.

Shape suffixes: p patch, v vertex.
"""

from collections.abc import Sequence
from typing import assert_never

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from crossmodal.config.patches import Disc, Dumbbell, PatchShape, Strip
from crossmodal.physics.cortex_mesh import CortexMesh

# A Gaussian of this standard deviation has fallen to a half at a distance of 1: 1 / sqrt(2 ln 2).
_DEVIATION_PER_HALF = 0.8493


def draw_patches(mesh: CortexMesh, shapes: Sequence[PatchShape], centres_p: NDArray[np.integer], seed: int) -> csr_array:
    """Grow a patch from each of some vertices; shapes take turns.

    Patch number p follows from the mesh, its vertex, the shapes, p and the seed alone.

    Parameters
    ----------
    mesh : CortexMesh
    shapes : sequence of Disc, Strip or Dumbbell
    centres_p : int array, shape (n_patches,)
        Vertices of the mesh: the middle of a disc, one end of a strip or dumbbell.
    seed : int

    Returns
    -------
    csr_array, shape (n_patches, n_vertices)
        Moment density of each vertex relative to the largest one of its patch; 0 outside the patch. Times `mesh.areas_m2` it is in
        proportion to the vertices' moments: a lead field (n_electrodes, n_vertices) makes topographies of them by
        `lead_field_cv @ (weights_pv * mesh.areas_m2).T`.
    """
    patches = [
        draw_patch(mesh, shapes[number % len(shapes)], int(centre), np.random.default_rng([seed, number]))
        for number, centre in enumerate(centres_p)
    ]
    return csr_array(np.array(patches).reshape(len(centres_p), len(mesh)))


def draw_patch(mesh: CortexMesh, shape: PatchShape, centre: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Grow one patch from a vertex; weights as in a row of `draw_patches`, shape (n_vertices,)."""
    towards = _tangent(mesh.normals[centre], rng)
    match shape:
        case Disc():
            return _disc(mesh, centre, towards, rng.uniform(*shape.layer_m), rng.uniform(*shape.half_weight_m))
        case Strip():
            path = _path(mesh, centre, towards, rng.uniform(*shape.length_m))
            return _within(mesh, path, rng.uniform(*shape.width_m) / 2).astype(np.float64)
        case Dumbbell():
            path = _path(mesh, centre, towards, rng.uniform(*shape.length_m))
            ends, strip = _within(mesh, path[[0, -1]], rng.uniform(*shape.radius_m)), _within(mesh, path, rng.uniform(*shape.width_m) / 2)
            return (ends | strip).astype(np.float64)
        case _:
            assert_never(shape)


def _tangent(normal: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a unit vector at a right angle to a unit normal, all directions alike."""
    drawn = rng.standard_normal(3)
    tangent = drawn - (drawn @ normal) * normal
    unit: NDArray[np.float64] = tangent / np.linalg.norm(tangent)
    return unit


def _disc(mesh: CortexMesh, centre: int, towards: NDArray[np.float64], layer_m: float, half_weight_m: float) -> NDArray[np.float64]:
    """Vertices within a layer of the centre, and those of a second layer that lie ahead in a direction.

    Weights are exp(-d^2 / (2 sigma^2)), sigma = .8493 half_weight_m, with distance d along the surface. Source: R. Sun et al., "Deep neural
    networks constrained by neural mass models improve electrophysiological source imaging of spatiotemporal brain dynamics", PNAS, 2022,
    who grow patches over regions in place of vertices.
    """
    # An edge of a layer's length still belongs to it, whatever rounding says.
    distance_v = dijkstra(mesh.edges_m, indices=centre, limit=2 * layer_m * (1 + 1e-9))
    ahead_v = (mesh.positions_m - mesh.positions_m[centre]) @ towards > 0
    chosen = np.flatnonzero((distance_v <= layer_m * (1 + 1e-9)) | (np.isfinite(distance_v) & ahead_v))
    # A fold may come back ahead, with cortex in between that is behind.
    part = connected_components(mesh.edges_m[chosen][:, chosen], directed=False)[1]
    chosen = chosen[part == part[np.searchsorted(chosen, centre)]]
    weights_v = np.zeros(len(mesh))
    weights_v[chosen] = np.exp(-(distance_v[chosen] ** 2) / (2 * (_DEVIATION_PER_HALF * half_weight_m) ** 2))
    return weights_v


def _path(mesh: CortexMesh, start: int, towards: NDArray[np.float64], length_m: float) -> NDArray[np.int64]:
    """Vertices of the shortest way to the vertex that is about so far away along the surface and the farthest in a direction."""
    distance_v, previous_v = dijkstra(mesh.edges_m, indices=start, limit=length_m * (1 + 1e-9), return_predecessors=True)
    reached_v = np.isfinite(distance_v)
    # Those with neighbours that are farther; a small hemisphere may have none.
    rim_v = reached_v & (mesh.edges_m @ (~reached_v).astype(np.float64) > 0)
    rim = np.flatnonzero(rim_v if rim_v.any() else reached_v)
    ahead = (mesh.positions_m[rim] - mesh.positions_m[start]) @ towards
    path = [int(rim[ahead.argmax()])]
    while path[-1] != start:
        path.append(int(previous_v[path[-1]]))
    return np.array(path[::-1])


def _within(mesh: CortexMesh, vertices: NDArray[np.integer], distance_m: float) -> NDArray[np.bool_]:
    """Vertices that are at most so far along the surface from any of some."""
    nearest_v = dijkstra(mesh.edges_m, indices=vertices, limit=distance_m * (1 + 1e-9), min_only=True)
    return np.isfinite(nearest_v)
