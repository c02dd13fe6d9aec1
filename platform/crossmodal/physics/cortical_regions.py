"""Regions of the template cortex: parts of fsaverage5's white surface, and the platform's own sixty of them."""

import functools
from dataclasses import dataclass

import numpy as np
from mne.transforms import apply_trans
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree

from crossmodal.physics.cortex import HEMISPHERES, SurfaceMesh, template_head, template_surface
from crossmodal.physics.geometry import edge_lengths, farthest_points, vertex_areas

N_REGIONS = 60
# Centres move to the middle of their regions so often; without it, regions differ twice as much in area.
_ROUNDS = 8
# Cortex is nowhere thinner; what is, is the medial wall.
_THINNEST_CORTEX_M = 0.001


@dataclass(frozen=True, eq=False)
class CorticalRegions:
    """Regions of the template cortex.

    Attributes
    ----------
    names : tuple of str
        Of the platform's own: left-01 to left-30, then right-01 to right-30, each hemisphere from front to back.
    region_of : tuple of two int arrays, each (10242,)
        Region of each vertex of fsaverage5's left and right hemisphere; -1 in the medial wall.
    vertices_m : ndarray, shape (20484, 3)
        Left, then right; head coordinates.
    centres_m : ndarray, shape (n_regions, 3)
        The vertex of each region that is nearest to the mean of its vertices; head coordinates.
    areas_m2 : ndarray, shape (n_regions,)
        Of the white surface.
    """

    names: tuple[str, ...]
    region_of: tuple[NDArray[np.int64], NDArray[np.int64]]
    vertices_m: NDArray[np.float64]
    centres_m: NDArray[np.float64]
    areas_m2: NDArray[np.float64]

    @property
    def vertices(self) -> list[NDArray[np.int64]]:
        """Numbers of the vertices in regions, left and right, as MNE's source estimates take them."""
        return [np.flatnonzero(region_v >= 0) for region_v in self.region_of]

    @property
    def regions_of_vertices(self) -> NDArray[np.int64]:
        """Region of each of `vertices`, left, then right."""
        return np.concatenate([region_v[region_v >= 0] for region_v in self.region_of])

    def of_vertices(self, vertices: tuple[NDArray[np.int64], NDArray[np.int64]]) -> NDArray[np.int64]:
        """Region of some vertices of the left, then of the right hemisphere, such as those of a `CortexMesh`; -1 where there is none."""
        return np.concatenate([region_v[chosen] for region_v, chosen in zip(self.region_of, vertices, strict=True)])

    @functools.cached_property
    def distances_to_centres_m(self) -> NDArray[np.float64]:
        """Mean distance of the vertices of each region (rows) from the centre of each (columns), m."""
        region_v = self.regions_of_vertices
        vertices_m = self.vertices_m[np.concatenate(self.region_of) >= 0]
        to_centres_vr = np.linalg.norm(vertices_m[:, None] - self.centres_m, axis=2)
        return np.array([to_centres_vr[region_v == region].mean(axis=0) for region in range(len(self.names))])

    def membership(self, positions_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Tell which dipoles lie in which region.

        Parameters
        ----------
        positions_m : ndarray, shape (n_dipoles, 3)
            On or near the template's white surface, head coordinates.

        Returns
        -------
        ndarray, shape (n_regions, n_dipoles)
            1 where the vertex nearest to the dipole lies in the region, else 0; a dipole in the medial wall lies in none.
        """
        nearest = cKDTree(self.vertices_m).query(positions_m)[1]
        region_d = np.concatenate(self.region_of)[nearest]
        return (np.arange(len(self.names))[:, None] == region_d).astype(np.float64)


@functools.cache
def cortical_regions() -> CorticalRegions:
    """Divide the template cortex into 60 regions, always the same ones.

    A region holds the vertices that are nearer to its centre than to any other along the edges of the surface (a geodesic Voronoi
    cell, which is contiguous). Centres are spread by farthest points and moved to the middle of their cells (Lloyd's algorithm:
    S. Lloyd, "Least squares quantization in PCM", 1982).
    """
    n_side = N_REGIONS // 2
    names = tuple(f"{side}-{number:02d}" for side in HEMISPHERES for number in range(1, n_side + 1))
    (left, left_centres), (right, right_centres) = (_patches(template_surface(side), n_side) for side in HEMISPHERES)
    return regions_at(names, (left, np.where(right >= 0, right + n_side, -1)), (left_centres, right_centres))


def regions_at(
    names: tuple[str, ...],
    region_of: tuple[NDArray[np.int64], NDArray[np.int64]],
    centres: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> CorticalRegions:
    """Measure regions of which it is known where they lie; `centres` are vertices of the left, then of the right hemisphere."""
    mri_to_head = np.linalg.inv(template_head().head_to_mri)
    vertices_m, centres_m, areas_m2 = [], [], np.zeros(len(names))
    for side, region_v, of_side in zip(HEMISPHERES, region_of, centres, strict=True):
        mesh = template_surface(side)
        in_head_m = apply_trans(mri_to_head, mesh.vertices_m)
        area_v = vertex_areas(mesh.vertices_m, mesh.triangles)
        areas_m2 += np.bincount(region_v[region_v >= 0], area_v[region_v >= 0], len(names))
        vertices_m.append(in_head_m)
        centres_m.append(in_head_m[of_side])
    return CorticalRegions(names, region_of, np.concatenate(vertices_m), np.concatenate(centres_m), areas_m2)


def _patches(mesh: SurfaceMesh, n_patches: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Patch of each vertex, -1 outside the cortex, and the vertices at the patches' centres; both from front to back."""
    graph = edge_lengths(mesh.vertices_m, mesh.triangles)
    cortex = np.flatnonzero(_cortical(mesh, graph))
    graph, vertices_m = graph[cortex][:, cortex], mesh.vertices_m[cortex]
    centres = farthest_points(vertices_m, n_patches)
    for _ in range(_ROUNDS):
        centres = np.array([middle_vertex(vertices_m, cell) for cell in _cells(graph, centres)])
    centres = centres[np.argsort(-vertices_m[centres, 1], kind="stable")]
    region_v = np.full(len(mesh.vertices_m), -1, dtype=np.int64)
    for number, cell in enumerate(_cells(graph, centres)):
        region_v[cortex[cell]] = number
    return region_v, cortex[centres]


def _cells(graph: csr_array, centres: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Vertices nearest to each centre along the graph's edges."""
    nearest = dijkstra(graph, directed=False, indices=centres, min_only=True, return_predecessors=True)[2]
    return [np.flatnonzero(nearest == centre) for centre in centres]


def middle_vertex(vertices_m: NDArray[np.float64], cell: NDArray[np.int64]) -> int:
    """The vertex of a cell that is nearest to the mean of its vertices."""
    offset_m = vertices_m[cell] - vertices_m[cell].mean(axis=0)
    return int(cell[(offset_m**2).sum(axis=1).argmin()])


def _cortical(mesh: SurfaceMesh, graph: csr_array) -> NDArray[np.bool_]:
    """Vertices outside the medial wall.

    The wall is where the cortex has no thickness, and the hole in fsaverage's flat map, which was cut out around it. Islands of
    cortex within it are left out, too.
    """
    wall = (mesh.thickness_m < _THINNEST_CORTEX_M) | _largest_part(graph, ~np.isin(np.arange(len(mesh.vertices_m)), mesh.flat_triangles))
    return _largest_part(graph, ~wall)


def _largest_part(graph: csr_array, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest connected part of chosen vertices."""
    vertices = np.flatnonzero(chosen)
    part_v = connected_components(graph[vertices][:, vertices], directed=False)[1]
    largest = np.zeros_like(chosen)
    largest[vertices[part_v == np.bincount(part_v).argmax()]] = True
    return largest
