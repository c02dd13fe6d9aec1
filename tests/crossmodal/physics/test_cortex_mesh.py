"""The template cortex as a mesh, at each spacing."""

import numpy as np
import pytest
from mne.transforms import apply_trans
from scipy.sparse.csgraph import connected_components

from crossmodal.physics.cortex import HEMISPHERES, template_head, template_surface
from crossmodal.physics.cortex_mesh import cortex_mesh
from crossmodal.physics.icosphere import icosphere
from crossmodal.physics.medial_wall import medial_wall


@pytest.mark.parametrize(("grade", "edge_m"), [(3, 0.012), (4, 0.006), (5, 0.003)])
def test_a_coarser_mesh_has_the_same_cortex_with_vertices_farther_apart(grade, edge_m):
    mesh = cortex_mesh(grade)
    n_cortical = sum((~medial_wall(side)).sum() for side in HEMISPHERES)
    assert len(mesh) == pytest.approx(n_cortical / 4 ** (5 - grade), rel=0.02)
    assert np.median(mesh.edges_m.data) == pytest.approx(edge_m, rel=0.3)
    # A hemisphere is in one piece, and nothing crosses over.
    assert connected_components(mesh.edges_m, directed=False)[0] == 2
    assert (mesh.edges_m != mesh.edges_m.T).nnz == 0
    # Coarse triangles cut folds short.
    assert 0.09 < mesh.areas_m2.sum() < 0.17


def test_vertices_are_those_of_fsaverage5_and_none_lies_in_the_wall():
    mesh, to_mri = cortex_mesh(4), template_head().head_to_mri
    n_left = len(mesh.vertices[0])
    for side, vertices, rows in zip(HEMISPHERES, mesh.vertices, (slice(n_left), slice(n_left, None)), strict=True):
        assert not medial_wall(side)[vertices].any()
        np.testing.assert_allclose(apply_trans(to_mri, mesh.positions_m[rows]), template_surface(side).vertices_m[vertices], atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, rtol=1e-6)


def test_the_finest_mesh_has_the_triangles_of_fsaverage5():
    triangles = {tuple(corners) for corners in np.sort(icosphere(5)[1], axis=1)}
    assert triangles == {tuple(corners) for corners in np.sort(template_surface("left").triangles, axis=1)}


def test_the_middle_surface_lies_outside_the_white_one_by_half_of_the_thickness():
    white, middle = cortex_mesh(5, "white"), cortex_mesh(5, "middle")
    thickness_m = np.concatenate(
        [template_surface(side).thickness_m[vertices] for side, vertices in zip(HEMISPHERES, white.vertices, strict=True)]
    )
    outwards_m = ((middle.positions_m - white.positions_m) * white.normals).sum(axis=1)
    assert np.median(outwards_m) == pytest.approx(np.median(thickness_m) / 2, rel=0.15)
    assert all(np.array_equal(*pair) for pair in zip(white.vertices, middle.vertices, strict=True))
