"""Ongoing sources have the power, the reach and the places they are said to have."""

import numpy as np

from crossmodal.config.simulation import SourceSpectrum
from crossmodal.physics.sources import sensor_factor, source_components, spatial_correlation


def test_correlation_falls_with_distance_and_is_a_covariance():
    positions_m = np.random.default_rng(0).uniform(-0.07, 0.07, (200, 3))
    correlation = spatial_correlation(positions_m, 0.02)
    assert np.linalg.eigvalsh(correlation).min() > -1e-10
    two = spatial_correlation(np.array([[0, 0, 0], [0.02, 0, 0]]), 0.02)
    np.testing.assert_allclose(two[0, 1], np.exp(-0.5))
    np.testing.assert_array_equal(spatial_correlation(positions_m, 0.0), np.eye(200))


def test_moments_and_alpha_ratio_are_as_configured():
    positions_m = np.random.default_rng(1).uniform(-0.07, 0.07, (300, 3))
    spectrum = SourceSpectrum(alpha_power_ratio=2.0, exponent=1.5)
    aperiodic, alpha = source_components(positions_m, 0.01, 4e-9, spectrum, 100.0)
    np.testing.assert_allclose(np.mean(np.diag(aperiodic.covariance)), 16e-18)
    np.testing.assert_allclose(np.mean(np.diag(alpha.covariance)), 32e-18)
    for component in (aperiodic, alpha):
        frequencies_hz = np.linspace(0, 100, 5001)
        np.testing.assert_allclose(np.trapezoid(component.density(frequencies_hz), frequencies_hz), 1, rtol=1e-3)
    back = positions_m[:, 1] < -0.05
    assert np.diag(alpha.covariance)[back].mean() > 5 * np.diag(alpha.covariance)[positions_m[:, 1] > 0.03].mean()


def test_sensor_factor_is_a_square_root_across_units():
    rng = np.random.default_rng(2)
    lead_field = rng.standard_normal((8, 40)) * np.array([1e3] * 4 + [1e-5] * 4)[:, None]
    covariance = spatial_correlation(rng.uniform(-0.07, 0.07, (40, 3)), 0.03)
    factor = sensor_factor(lead_field, covariance)
    np.testing.assert_allclose(factor @ factor.T, lead_field @ covariance @ lead_field.T, rtol=1e-8)
