"""The medial wall by its label."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from crossmodal.config import UserError
from crossmodal.physics.cortex import template_cortex, template_head, template_surface
from crossmodal.physics.medial_wall import medial_wall


@pytest.mark.parametrize(("side", "n_vertices"), [("left", 1038), ("right", 1020)])
def test_the_wall_is_one_piece_at_the_midline_with_all_that_has_no_thickness(side, n_vertices):
    mesh, wall_v = template_surface(side), medial_wall(side)
    assert wall_v.shape == (10242,)
    assert wall_v.sum() == n_vertices
    assert wall_v[mesh.thickness_m < 0.001].all()
    assert np.median(np.abs(mesh.vertices_m[wall_v, 0])) < 0.02
    pairs = np.concatenate([mesh.triangles[:, [0, 1]], mesh.triangles[:, [1, 2]]])
    for part_v in (wall_v, ~wall_v):
        inside = pairs[part_v[pairs].all(axis=1)]
        parts = connected_components(csr_array((np.ones(len(inside)), inside.T), shape=(10242, 10242)), directed=False)[1]
        assert len(np.unique(parts[part_v])) == 1


def test_no_dipole_of_the_labelled_cortex_lies_in_the_wall():
    n_cortical = 20484 - 1038 - 1020
    dipoles = template_cortex(500, wall="label")
    mri_m = (np.c_[dipoles.positions_m, np.ones(500)] @ template_head().head_to_mri.T)[:, :3]
    vertices_m = np.concatenate([template_surface(side).vertices_m for side in ("left", "right")])
    distance_m, vertex = cKDTree(vertices_m).query(mri_m)
    assert distance_m.max() < 1e-9
    assert not np.concatenate([medial_wall("left"), medial_wall("right")])[vertex].any()
    with pytest.raises(UserError, match=f"the template cortex has {n_cortical} vertices, fewer than {n_cortical + 1}"):
        template_cortex(n_cortical + 1, wall="label")
