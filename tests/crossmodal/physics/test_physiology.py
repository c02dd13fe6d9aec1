"""Responses of BOLD to heart and breath against closed forms, and what is measured of both against signals that are known."""

import numpy as np
import pytest
from scipy.special import gamma

from crossmodal.physics.physiology import (
    RATE_HZ,
    cardiac_response,
    find_heartbeats,
    heart_rate,
    respiration_volume,
    respiratory_response,
    respond,
)

STEP_S = 0.01
LAGS_S = np.arange(0, 150, STEP_S)


def gamma_area(factor, power, scale_s):
    """Integral of factor t^power exp(-t / scale_s) from 0 on."""
    return factor * gamma(power + 1) * scale_s ** (power + 1)


def test_responses_have_the_areas_and_turning_points_of_the_published_ones():
    cardiac, respiratory = cardiac_response(LAGS_S), respiratory_response(LAGS_S)
    # A Gaussian of the height that is given has the area 16.
    assert cardiac.sum() * STEP_S == pytest.approx(gamma_area(0.6, 2.7, 1.6) - 16, abs=2e-3)
    assert respiratory.sum() * STEP_S == pytest.approx(gamma_area(0.6, 2.1, 1.6) - gamma_area(0.0023, 3.54, 4.25), abs=1e-3)
    turns_s = [LAGS_S[each] for each in (cardiac.argmax(), cardiac.argmin(), respiratory.argmax(), respiratory.argmin())]
    np.testing.assert_allclose(turns_s, [4.1, 12.4, 3.1, 15.4], atol=0.1)
    assert not cardiac_response(np.array([-3.0, -0.1])).any()
    assert not respiratory_response(np.array([-3.0, -0.1])).any()


@pytest.mark.parametrize("period_s", [0.6, 0.9, 1.3])
def test_an_even_heart_has_an_even_rate_also_with_a_missed_and_a_false_beat(period_s):
    beats_s = 0.2 + period_s * np.arange(100)
    broken_s = np.sort(np.append(np.delete(beats_s, [30, 60]), beats_s[80] + 0.4 * period_s))
    times_s = np.arange(0, beats_s[-1], 0.5)
    np.testing.assert_allclose(heart_rate(beats_s, times_s), 1 / period_s)
    np.testing.assert_allclose(heart_rate(broken_s, times_s), 1 / period_s)


def test_heart_rate_follows_slow_changes():
    times_s = np.arange(0, 300, 0.01)
    rate_hz = 1.1 + 0.1 * np.sin(2 * np.pi * 0.02 * times_s)
    beats = np.cumsum(rate_hz) * 0.01
    beats_s = np.interp(np.arange(1, beats[-1]), beats, times_s)
    inside = slice(1000, -1000, 50)
    np.testing.assert_allclose(heart_rate(beats_s, times_s[inside]), rate_hz[inside], atol=0.01)


@pytest.mark.parametrize("sfreq", [50.0, 100.0, 250.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_beats_of_either_polarity_are_found_at_all_rates(sfreq, sign):
    rng = np.random.default_rng(3)
    beats_s = np.cumsum(rng.normal(0.9, 0.05, 60))
    times_s = np.arange(0, beats_s[-1] + 1, 1 / sfreq)
    ecg = sum(
        height * np.exp(-0.5 * ((times_s - beats_s[:, None] - late_s) / 0.012) ** 2).sum(axis=0)
        for late_s, height in ((0, 1), (0.03, -0.3))
    )
    found_s = find_heartbeats(sign * 1e-3 * (ecg + 0.03 * rng.standard_normal(len(times_s))), sfreq)
    nearest_s = np.abs(found_s[:, None] - beats_s).min(axis=0)
    assert (nearest_s < 0.05).mean() > 0.95
    assert len(found_s) == pytest.approx(len(beats_s), abs=2)


def test_respiration_volume_of_a_sine_is_its_rms_and_scales_with_depth():
    sfreq = 25.0
    times_s = np.arange(0, 120, 1 / sfreq)
    depth = np.where(times_s < 60, 1.0, 3.0)
    volume = respiration_volume(5.0 + depth * np.sin(2 * np.pi * 0.5 * times_s), sfreq)
    np.testing.assert_allclose(volume[(times_s > 5) & (times_s < 55)], 1 / np.sqrt(2), rtol=0.01)
    np.testing.assert_allclose(volume[(times_s > 65) & (times_s < 115)], 3 / np.sqrt(2), rtol=0.01)


def test_the_answer_to_a_step_is_the_integral_of_the_response():
    lags_s = np.arange(0, 50, 1 / RATE_HZ)
    course = np.zeros(4000)
    course[2000:] = 1.0
    answer = respond(course, cardiac_response(lags_s))
    # Before its beginning a course is taken to be at its mean, here one half.
    assert answer[1900] == pytest.approx(-0.5 * (gamma_area(0.6, 2.7, 1.6) - 16), abs=0.01)
    assert answer[-1] - answer[1900] == pytest.approx(gamma_area(0.6, 2.7, 1.6) - 16, abs=0.02)
