"""The haemodynamic response against its published shape, SciPy and nilearn."""

import numpy as np
from nilearn.glm.first_level import spm_hrf
from scipy.integrate import quad
from scipy.stats import gamma

from crossmodal.physics.haemodynamics import canonical_response, respond


def test_response_is_the_difference_of_scipys_gamma_densities():
    time_s = np.linspace(-5, 32, 1000)
    expected = (gamma.pdf(time_s, 6) - gamma.pdf(time_s, 16) / 6) * 6 / 5
    np.testing.assert_allclose(canonical_response(time_s), expected, atol=1e-12)
    assert not canonical_response(np.array([-1.0, 0.0])).any()


def test_response_is_nilearns_up_to_scale():
    ours = canonical_response(np.arange(0, 32, 0.1))
    theirs = spm_hrf(2.0, oversampling=20)[: len(ours)]
    assert np.corrcoef(ours, theirs)[0, 1] > 0.999


def test_response_peaks_at_five_seconds_and_integrates_to_one():
    time_s = np.arange(0, 32, 0.01)
    assert 4.9 < time_s[canonical_response(time_s).argmax()] < 5.1
    assert canonical_response(np.array([15.0]))[0] < 0
    assert abs(quad(lambda t: float(canonical_response(np.array([t]))[0]), 0, 100)[0] - 1) < 1e-6


def test_a_later_response_has_its_peak_there_and_the_same_integral():
    time_s = np.arange(0, 60, 0.01)
    for peak_s in (4.0, 6.5, 8.0):
        response = canonical_response(time_s, peak_s)
        assert abs(time_s[response.argmax()] - peak_s) < 0.1
        assert abs(response.sum() * 0.01 - 1) < 1e-3
    activity = np.random.default_rng(0).standard_normal((2, 300))
    both = respond(activity, 10.0, np.array([4.0, 8.0]))
    np.testing.assert_allclose(both, [respond(activity[0], 10.0, 4.0), respond(activity[1], 10.0, 8.0)], atol=1e-12)


def test_convolution_is_causal_linear_and_answers_an_impulse_with_the_response():
    impulse = np.zeros((2, 400))
    impulse[0, 50], impulse[1, 100] = 10.0, 20.0  # unit area at 10 Hz
    answer = respond(impulse, 10.0)
    time_s = np.arange(400) / 10.0
    # What is left of the response after 32 s is cut off.
    np.testing.assert_allclose(answer[0], canonical_response(time_s - 5), atol=1e-4)
    np.testing.assert_allclose(answer[1], 2 * canonical_response(time_s - 10), atol=1e-4)
    assert np.abs(answer[0, :50]).max() < 1e-12
    assert abs(respond(np.ones(400), 10.0)[-1] - 1) < 0.01
