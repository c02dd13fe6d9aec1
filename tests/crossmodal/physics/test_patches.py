"""Patches on a flat sheet, where their sizes are known, and on the template cortex."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay

from crossmodal.config.patches import Disc, Dumbbell, Strip
from crossmodal.physics.cortex_mesh import CortexMesh, cortex_mesh
from crossmodal.physics.geometry import edge_lengths, vertex_areas
from crossmodal.physics.patches import draw_patch, draw_patches

_STEP_M, _HALF = 0.002, 30


@pytest.fixture(scope="module")
def sheet() -> CortexMesh:
    """Equilateral triangles in the plane z = 0, whose middle vertex is at the origin."""
    rows, columns = np.mgrid[-_HALF : _HALF + 1, -_HALF : _HALF + 1]
    # Rows are sheared by half a step each, and brought back every second one.
    x, y = columns + (rows % 2) / 2, rows * np.sqrt(3) / 2
    points_m = _STEP_M * np.column_stack([x.ravel(), y.ravel(), np.zeros(x.size)])
    triangles = Delaunay(points_m[:, :2]).simplices
    edges_m = edge_lengths(points_m, triangles)
    # Delaunay bridges the ragged rim by long edges.
    edges_m.data[edges_m.data > 1.01 * _STEP_M] = 0
    edges_m.eliminate_zeros()
    normals = np.tile([0.0, 0, 1], (len(points_m), 1))
    areas_m2 = vertex_areas(points_m, triangles)
    return CortexMesh(points_m, normals, areas_m2, edges_m + edges_m.T, (np.arange(len(points_m)), np.arange(0)))


def centre_of(mesh: CortexMesh) -> int:
    return int(np.linalg.norm(mesh.positions_m, axis=1).argmin())


def parts(mesh: CortexMesh, weights_v: np.ndarray) -> int:
    inside = np.flatnonzero(weights_v)
    return connected_components(mesh.edges_m[inside][:, inside], directed=False)[0]


@pytest.mark.parametrize("n_steps", [1, 2, 5])
def test_a_disc_is_a_layer_and_half_of_the_next(sheet, n_steps):
    """Around a vertex are 6 k vertices at k steps, of which as many lie ahead as behind, and none at right angles to a random direction."""
    depth_m = n_steps * _STEP_M
    weights_v = draw_patch(sheet, Disc(layer_m=(depth_m, depth_m)), centre_of(sheet), np.random.default_rng(0))
    first, both = (1 + 3 * k * (k + 1) for k in (n_steps, 2 * n_steps))
    assert np.count_nonzero(weights_v) == first + (both - first) / 2
    assert parts(sheet, weights_v) == 1


def test_a_disc_s_weights_fall_to_a_half_where_asked(sheet):
    shape = Disc(layer_m=(0.02, 0.02), half_weight_m=(0.03, 0.03))
    centre = centre_of(sheet)
    weights_v = draw_patch(sheet, shape, centre, np.random.default_rng(0))
    assert weights_v.max() == weights_v[centre] == 1
    # Along a row of the sheet, distances along edges are straight.
    along = np.flatnonzero((weights_v > 0) & (np.abs(sheet.positions_m[:, 1]) < 1e-9))
    distance_m = np.abs(sheet.positions_m[along, 0])
    assert distance_m.max() > 0.03
    np.testing.assert_allclose(weights_v[along], 0.5 ** ((distance_m / 0.03) ** 2), rtol=1e-3)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_strip_is_as_long_and_wide_as_asked_and_equally_active(sheet, seed):
    shape = Strip(length_m=(0.04, 0.04), width_m=(0.012, 0.012))
    weights_v = draw_patch(sheet, shape, centre_of(sheet), np.random.default_rng(seed))
    inside_m = sheet.positions_m[weights_v > 0, :2]
    assert set(weights_v) == {0.0, 1.0}
    assert parts(sheet, weights_v) == 1
    assert weights_v[centre_of(sheet)] == 1
    # Distances along edges are up to 2 / sqrt(3) of straight ones; round ends lie beyond the length.
    spread_m = np.linalg.norm(inside_m[:, None] - inside_m, axis=2).max()
    assert 0.04 * np.sqrt(3) / 2 < spread_m < 0.04 + 0.012 + _STEP_M
    area_m2 = (weights_v * sheet.areas_m2).sum()
    assert area_m2 == pytest.approx(0.04 * 0.012 + np.pi * 0.006**2, rel=0.35)


def test_a_dumbbell_is_thick_at_both_ends_and_thin_between(sheet):
    shape = Dumbbell(length_m=(0.04, 0.04), radius_m=(0.01, 0.01), width_m=(0.004, 0.004))
    weights_v = draw_patch(sheet, shape, centre_of(sheet), np.random.default_rng(3))
    inside_m = sheet.positions_m[weights_v > 0]
    assert set(weights_v) == {0.0, 1.0}
    assert parts(sheet, weights_v) == 1
    # Around the start all is active; midway to the other end there is a narrow bridge.
    other_m = 2 * inside_m.mean(axis=0)
    direction = other_m[:2] / np.linalg.norm(other_m[:2])
    along_m, across_m = inside_m[:, :2] @ direction, inside_m[:, :2] @ [-direction[1], direction[0]]
    near_start, midway = np.abs(along_m) < _STEP_M, np.abs(along_m - np.linalg.norm(other_m) / 2) < _STEP_M
    assert np.ptp(across_m[near_start]) > 0.014
    assert 0 < np.ptp(across_m[midway]) < 0.010


@pytest.mark.parametrize("shape", [Disc(), Strip(), Dumbbell()])
def test_patches_of_the_cortex_are_of_one_piece_and_as_large_at_any_spacing(shape):
    median_m2 = {}
    for grade in (4, 5):
        mesh = cortex_mesh(grade)
        weights_pv = draw_patches(mesh, [shape], np.linspace(0, len(mesh) - 1, 24).astype(int), seed=1)
        assert weights_pv.max() == 1
        assert [parts(mesh, weights_v) for weights_v in weights_pv.toarray()] == [1] * 24
        median_m2[grade] = np.median((weights_pv > 0) @ mesh.areas_m2)
    assert 2e-4 < median_m2[4] < 2e-3
    assert median_m2[5] == pytest.approx(median_m2[4], rel=0.4)


def test_a_patch_follows_from_its_number_seed_and_vertex_alone():
    mesh, shapes = cortex_mesh(3), [Disc(), Strip(), Dumbbell()]
    centres_p = np.arange(0, 60, 5)
    weights_pv = draw_patches(mesh, shapes, centres_p, seed=4)
    assert (draw_patches(mesh, shapes, centres_p, seed=4) != weights_pv).nnz == 0
    fewer = draw_patches(mesh, shapes, centres_p[:5], seed=4)
    assert (fewer != weights_pv[:5]).nnz == 0
    assert (draw_patches(mesh, shapes, centres_p, seed=5) != weights_pv).nnz > 0
    # Shapes take turns: discs alone have weights between 0 and 1.
    flat = [set(row.data) == {1.0} for row in weights_pv]
    assert flat == [False, True, True] * 4


@pytest.mark.parametrize("settings", [{"layer_m": (0.02, 0.01)}, {"half_weight_m": (0.0, 0.01)}])
def test_ranges_are_in_order_and_above_zero(settings):
    with pytest.raises(ValidationError, match="the lower end comes first|both ends must be above 0"):
        Disc(**settings)
