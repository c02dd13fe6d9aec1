"""Signals drawn from a truth have its covariance and spectrum, all along."""

import numpy as np
import pytest
from scipy.signal import welch

from crossmodal.config.simulation import SourceSpectrum
from crossmodal.physics.gaussian import sample_signal
from crossmodal.physics.sources import sensor_factor, source_components
from crossmodal.physics.truth import SubjectTruth

SFREQ = 100.0


@pytest.fixture(scope="module")
def truth():
    rng = np.random.default_rng(0)
    positions_m = rng.uniform(-0.07, 0.07, (50, 3))
    lead_field = rng.standard_normal((4, 50)) * np.array([1e3, 1e3, 1e-5, 1e-5])[:, None]
    components = source_components(positions_m, 0.02, 1e-9, SourceSpectrum(), SFREQ / 2)
    factors = tuple(sensor_factor(lead_field, component.covariance) for component in components)
    noise = np.array([1e-15, 1e-15, 1e-31, 1e-31])
    return SubjectTruth(("E1", "E2", "M1", "M2"), ("eeg", "eeg", "mag", "mag"), factors, tuple(c.density for c in components), noise, SFREQ)


@pytest.fixture(scope="module")
def signal(truth):
    return sample_signal(truth, 200_000, np.random.default_rng(1))


def test_covariance_is_the_integral_of_the_spectrum(truth, signal):
    frequencies_hz = np.linspace(0, SFREQ / 2, 2001)
    expected = np.trapezoid(truth.cross_spectrum(frequencies_hz), frequencies_hz, axis=0)
    scale = np.sqrt(np.diag(expected))
    # About 1e4 independent samples lie in 2000 s of a 1/f signal: a standard error of .01.
    np.testing.assert_allclose(np.cov(signal) / np.outer(scale, scale), expected / np.outer(scale, scale), atol=0.05)


def test_spectrum_is_as_stated_at_every_frequency(truth, signal):
    frequencies_hz, measured = welch(signal, SFREQ, nperseg=400)
    expected = np.array([np.diag(spectrum) for spectrum in truth.cross_spectrum(frequencies_hz)]).T
    inside = (frequencies_hz > 1) & (frequencies_hz < 49)
    np.testing.assert_allclose(measured[:, inside], expected[:, inside], rtol=0.25)


def test_ends_are_like_the_middle_and_unlike_one_another(truth):
    runs = np.array([sample_signal(truth, 300, np.random.default_rng(seed)) for seed in range(400)])
    power = runs.var(axis=0)
    np.testing.assert_allclose(power[:, :20].mean(axis=1), power[:, 140:160].mean(axis=1), rtol=0.25)
    first, last = runs[:, :, 0], runs[:, :, -1]
    for channel in range(4):
        assert abs(np.corrcoef(first[:, channel], last[:, channel])[0, 1]) < 0.2
