"""Distances between true and predicted activity by hand, and of the template's regions."""

import numpy as np
import pytest

from crossmodal.physics.cortical_regions import cortical_regions
from crossmodal.tasks.cortex.distances import earth_movers_distance_m, peak_error_m, spatial_dispersion_m

CENTRES_M = np.array([[0.0, 0, 0], [0.03, 0.04, 0], [0, 0, 0.01]])


def moments(*amplitudes: float) -> np.ndarray:
    """A sample whose regions have these root mean squares."""
    return np.array(amplitudes)[None, :, None] * np.array([1.0, -1, 1, -1])


def test_power_is_moved_over_the_shortest_way():
    truth = moments(1, 0, 0)
    for predicted, expected_m in (((2, 0, 0), 0.0), ((0, 1, 0), 0.05), ((1, 1, 0), 0.025), ((0, 1, 3), 0.1 * 0.05 + 0.9 * 0.01)):
        np.testing.assert_allclose(earth_movers_distance_m(truth, moments(*predicted), CENTRES_M), [expected_m], atol=1e-12)
    # Half of each stays, half goes on by one place, whichever way it is named.
    np.testing.assert_allclose(earth_movers_distance_m(moments(1, 1, 0), moments(1, 0, 1), CENTRES_M), [0.5 * np.hypot(0.05, 0.01)])


def test_dispersion_is_that_of_predicted_power_about_the_nearest_active_region():
    for truth, predicted, expected_m in (
        ((1, 0, 0), (5, 0, 0), 0.0),
        ((1, 0, 0), (0, 1, 1), np.sqrt((0.05**2 + 0.01**2) / 2)),
        ((1, 1, 0), (1, 1, 1), np.sqrt(0.01**2 / 3)),
    ):
        np.testing.assert_allclose(spatial_dispersion_m(moments(*truth), moments(*predicted), CENTRES_M), [expected_m], atol=1e-12)


def test_silence_is_nowhere():
    for truth, predicted in ((moments(1, 0, 0), moments(0, 0, 0)), (moments(0, 0, 0), moments(1, 0, 0))):
        assert np.isnan(earth_movers_distance_m(truth, predicted, CENTRES_M)).all()
        assert np.isnan(spatial_dispersion_m(truth, predicted, CENTRES_M)).all()
    nowhere, somewhere = np.zeros((1, 60, 4)), np.ones((1, 60, 4))
    assert np.isnan(peak_error_m(somewhere, nowhere, cortical_regions())).all()
    assert np.isnan(peak_error_m(nowhere, somewhere, cortical_regions())).all()


def test_a_peak_s_error_is_over_vertices_so_that_even_the_right_region_has_one():
    regions = cortical_regions()
    errors_m = {}
    for name, predicted in (("right", 7), ("other side", 44)):
        truth, prediction = np.zeros((1, 60, 4)), np.zeros((1, 60, 4))
        truth[0, 7], prediction[0, predicted] = 1, 2
        truth[0, 3, 0] = 1.9  # larger at one time, and weaker over all
        (errors_m[name],) = peak_error_m(truth, prediction, regions)
        vertices_m = regions.vertices_m[np.concatenate(regions.region_of) == 7]
        expected_m = np.linalg.norm(vertices_m - regions.centres_m[predicted], axis=1).mean()
        assert errors_m[name] == pytest.approx(expected_m)
    assert 0.008 < errors_m["right"] < 0.025 < errors_m["other side"]
