"""The template cortex as one mesh, without the medial wall: where activity is simulated, vertex by vertex."""

import functools
from dataclasses import dataclass
from typing import Literal

import numpy as np
from mne.transforms import apply_trans
from numpy.typing import NDArray
from scipy.sparse import block_diag, csr_array
from scipy.spatial import cKDTree

from crossmodal.physics.cortex import HEMISPHERES, surface_m, template_head
from crossmodal.physics.geometry import Dipoles, edge_lengths, vertex_areas, vertex_normals
from crossmodal.physics.icosphere import icosphere
from crossmodal.physics.medial_wall import medial_wall

# Of fsaverage5.
_FINEST_GRADE = 5


@dataclass(frozen=True)
class CortexMesh:
    """Vertices of the left hemisphere, then of the right one, in head coordinates.

    Attributes
    ----------
    positions_m, normals : ndarray, shape (n_vertices, 3)
        Normals point out of the cortex.
    areas_m2 : ndarray, shape (n_vertices,)
        Of the surface around each vertex.
    edges_m : csr_array, shape (n_vertices, n_vertices)
        Lengths of edges between neighbours, both ways.
    vertices : tuple of two int arrays
        Numbers of the vertices in fsaverage5's left and right hemisphere.
    """

    positions_m: NDArray[np.float64]
    normals: NDArray[np.float64]
    areas_m2: NDArray[np.float64]
    edges_m: csr_array
    vertices: tuple[NDArray[np.int64], NDArray[np.int64]]

    def __len__(self) -> int:
        return len(self.positions_m)

    @property
    def dipoles(self) -> Dipoles:
        """A dipole a vertex, along its normal."""
        return Dipoles(self.positions_m, self.normals)


@functools.cache
def cortex_mesh(grade: Literal[3, 4, 5] = 4, surface: Literal["white", "middle"] = "white") -> CortexMesh:
    """Take the template cortex at a spacing.

    Parameters
    ----------
    grade : 3, 4 or 5
        Of the icosphere: 642, 2,562 or 10,242 vertices a hemisphere with the medial wall, which is left out by its label. Neighbours are
        about 12, 6 or 3 mm apart.
    surface : 'white' or 'middle'
        The white surface, or the one midway between it and the pial surface.
    """
    mri_to_head = np.linalg.inv(template_head().head_to_mri)
    sphere, triangles = icosphere(grade)
    # Each grade numbers its vertices its own way.
    in_finest = cKDTree(icosphere(_FINEST_GRADE)[0]).query(sphere)[1]
    positions, normals, areas, edges, vertices = [], [], [], [], []
    for side in HEMISPHERES:
        all_m = surface_m(side, surface)[in_finest]
        cortical = ~medial_wall(side)[in_finest]
        length_m = edge_lengths(all_m, triangles)[cortical][:, cortical]
        positions.append(apply_trans(mri_to_head, all_m[cortical]))
        normals.append(apply_trans(mri_to_head, vertex_normals(all_m, triangles)[cortical], move=False))
        areas.append(vertex_areas(all_m, triangles)[cortical])
        edges.append(length_m + length_m.T)
        vertices.append(in_finest[cortical].astype(np.int64))
    left, right = vertices
    return CortexMesh(
        positions_m=np.concatenate(positions),
        normals=np.concatenate(normals),
        areas_m2=np.concatenate(areas),
        edges_m=csr_array(block_diag(edges, format="csr")),
        vertices=(left, right),
    )
