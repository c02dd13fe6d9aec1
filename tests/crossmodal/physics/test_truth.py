"""The truth is a valid spectrum, integrates to the covariance, and survives the disk."""

import numpy as np
import pytest

from crossmodal.config.simulation import SourceSpectrum
from crossmodal.physics.sources import sensor_factor, source_components
from crossmodal.physics.truth import SubjectTruth

SFREQ = 200.0


@pytest.fixture
def truth():
    rng = np.random.default_rng(0)
    positions_m = rng.uniform(-0.07, 0.07, (60, 3))
    lead_field = rng.standard_normal((5, 60)) * np.array([1e3, 1e3, 1e-5, 1e-5, 1e-4])[:, None]
    components = source_components(positions_m, 0.02, 5e-9, SourceSpectrum(), SFREQ / 2)
    return SubjectTruth(
        names=("EEG001", "EEG002", "MEG0111", "MEG0121", "MEG0112"),
        types=("eeg", "eeg", "mag", "mag", "grad"),
        factors=tuple(sensor_factor(lead_field, component.covariance) for component in components),
        spectra=tuple(component.density for component in components),
        noise_variance_density=np.array([1e-15, 1e-15, 1e-30, 1e-30, 1e-28]),
        sfreq=SFREQ,
    )


def test_integral_of_the_spectrum_is_the_covariance(truth):
    frequencies_hz = np.linspace(0, SFREQ / 2, 2001)
    covariance = np.trapezoid(truth.cross_spectrum(frequencies_hz), frequencies_hz, axis=0)
    expected = sum(factor @ factor.T for factor in truth.factors) + np.diag(truth.noise_variance_density) * SFREQ / 2
    scale = np.sqrt(np.diag(expected))
    np.testing.assert_allclose(covariance / np.outer(scale, scale), expected / np.outer(scale, scale), atol=2e-3)


def test_spectrum_is_positive_definite_and_empty_above_the_band(truth):
    inside, outside = truth.cross_spectrum(np.array([10.0, SFREQ]))
    scale = np.sqrt(np.diag(inside))
    assert np.linalg.eigvalsh(inside / np.outer(scale, scale)).min() > 0
    assert not outside.any()


def test_saved_truth_is_read_back_exactly(truth, tmp_path):
    truth.save(tmp_path / "truth.npz")
    again = SubjectTruth.load(tmp_path / "truth.npz")
    assert (again.names, again.types, again.spectra, again.sfreq) == (truth.names, truth.types, truth.spectra, truth.sfreq)
    for one, other in zip(again.factors, truth.factors, strict=True):
        np.testing.assert_array_equal(one, other)
