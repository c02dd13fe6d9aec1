"""How far regions of an image lie from the scalp."""

import numpy as np
import pytest

from crossmodal.physics.scalp import distance_from_scalp_m
from crossmodal.tasks.volumes.depth import from_scalp_m

# 10 mm, from (-80, -110, -60) mm of the template's space.
AFFINE = np.array([[10.0, 0, 0, -80], [0, 10.0, 0, -110], [0, 0, 10.0, -60], [0, 0, 0, 1]])
GRID = (17, 21, 17)
LEFT, RIGHT, TOP, AIR = (3, 9, 7), (13, 9, 7), (8, 9, 13), (0, 0, 16)


def place_m(voxel):
    return 1e-3 * (10.0 * np.array([voxel], dtype=float) + AFFINE[:3, 3])


def test_a_region_of_both_hemispheres_is_as_deep_as_its_parts():
    numbers = np.zeros(GRID, dtype=np.int32)
    numbers[LEFT] = numbers[RIGHT] = 1
    numbers[TOP] = 2
    numbers[AIR] = 4
    found = from_scalp_m(numbers, AFFINE, 4)
    left, right, top = (distance_from_scalp_m(place_m(voxel))[0] for voxel in (LEFT, RIGHT, TOP))
    assert found[0] == pytest.approx((left + right) / 2)
    assert found[1] == pytest.approx(top)
    # The centroid of the first is the middle of the head.
    assert found[0] < distance_from_scalp_m(place_m((8, 9, 7)))[0]
    # Without a voxel, or outside the head.
    assert np.isnan(found[2:]).all()


def test_voxels_of_a_map_count_by_their_weight():
    weights = np.zeros((*GRID, 2), dtype=np.float32)
    weights[LEFT] = [3, 1]
    weights[TOP] = [-1, 0]
    found = from_scalp_m(weights, AFFINE, 2)
    left, top = (distance_from_scalp_m(place_m(voxel))[0] for voxel in (LEFT, TOP))
    np.testing.assert_allclose(found, [(3 * left + top) / 4, left])
