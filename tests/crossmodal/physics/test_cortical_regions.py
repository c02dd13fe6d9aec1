"""Sixty patches of the template cortex."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from crossmodal.physics.cortex import template_cortex, template_surface
from crossmodal.physics.cortical_regions import cortical_regions


@pytest.fixture(scope="module")
def regions():
    return cortical_regions()


def test_each_hemisphere_has_thirty_named_regions_from_front_to_back(regions):
    assert regions.names[0] == "left-01"
    assert regions.names[29:31] == ("left-30", "right-01")
    for side, sign in ((slice(0, 30), -1), (slice(30, 60), 1)):
        assert (np.diff(regions.centres_m[side, 1]) <= 0.005).all()  # They are ordered in fsaverage's coordinates, which nod a little.
        assert (sign * regions.centres_m[side, 0] > -0.005).all()


def test_regions_are_contiguous_patches(regions):
    for side, region_v in zip(("left", "right"), regions.region_of, strict=True):
        triangles = template_surface(side).triangles
        pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]]])
        pairs = pairs[region_v[pairs[:, 0]] == region_v[pairs[:, 1]]]
        graph = csr_array((np.ones(len(pairs)), pairs.T), shape=(len(region_v), len(region_v)))
        parts = connected_components(graph, directed=False)[1]
        for region in np.unique(region_v[region_v >= 0]):
            assert len(np.unique(parts[region_v == region])) == 1


def test_regions_cover_the_cortex_without_the_medial_wall_and_are_of_like_size(regions):
    for side, region_v, vertices in zip(("left", "right"), regions.region_of, regions.vertices, strict=True):
        assert (region_v[template_surface(side).thickness_m == 0] == -1).all()
        # Of 10,242 vertices, about 885 belong to the wall by FreeSurfer's own label.
        assert 9300 < len(vertices) < 9600
        assert np.array_equal(vertices, np.flatnonzero(region_v >= 0))
    assert 0.11 < regions.areas_m2.sum() < 0.14
    assert regions.areas_m2.max() < 3 * regions.areas_m2.min()
    assert len(regions.regions_of_vertices) == sum(map(len, regions.vertices))


def test_dipoles_lie_in_the_region_of_their_vertex(regions):
    assert np.array_equal(regions.membership(regions.centres_m), np.eye(60))
    membership_rd = regions.membership(template_cortex(1000).positions_m)
    assert (membership_rd.sum(axis=1) >= 5).all()
    assert set(membership_rd.sum(axis=0)) == {0, 1}


def test_they_are_the_same_every_time(regions):
    again = cortical_regions.__wrapped__()
    assert np.array_equal(again.region_of, regions.region_of)
    assert np.array_equal(again.centres_m, regions.centres_m)
