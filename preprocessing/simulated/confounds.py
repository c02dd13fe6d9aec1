"""What heartbeat, breath and head movement do to EEG and BOLD at once, so that the one predicts the other where no brain does."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

from crossmodal.config.simulation import Physiology
from crossmodal.physics import physiology as responses
from crossmodal.physics.physiology import RATE_HZ, RESPONSE_LENGTH_S
from preprocessing.simulated.body import Body, at_times

# The pulse reaches the scalp so long after the R wave, and makes the head ring, s and Hz.
_PULSE_DELAY_S, _PULSE_WIDTH_S, _PULSE_HZ = 0.25, 0.08, 5.0
# A deeper breath and a faster heart change the pulse wave: exponents of its amplitude.
_PULSE_BY_BREATH, _PULSE_BY_RATE = 0.2, 2.0
_MUSCLE_HZ = (20.0, 45.0)
_HIGHEST_SHARE = 0.45
_HEAD_RADIUS_MM = 50.0


def eeg_artifacts(
    body: Body, settings: Physiology, positions: NDArray[np.float64], n_times: int, sfreq: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Artifacts that electrodes record.

    Parameters
    ----------
    body : Body
        What the person does.
    settings : Physiology
        How strong the artifacts are.
    positions : float64 array, shape (n_electrodes, 3)
        Of electrodes, to the right, front and top.

    Returns
    -------
    float64 array, shape (n_electrodes, n_times)
        V.

    Notes
    -----
    Heads that turn in the scanner's field, with each pulse or a nod, induce voltages that grow with the distance from the axis: Yan et al.
    (2010), Physical modeling of pulse artefact sources in simultaneous EEG/fMRI, Human Brain Mapping 31:604-620. Muscles of neck and
    temples breathe along.
    """
    right, front, top = (positions / np.abs(positions).max(axis=0)).T
    patterns = np.column_stack([right - 0.5 * front, np.abs(right) ** 2, front + 0.5 * top])
    courses = [
        settings.pulse_v * _pulse(body, n_times, sfreq),
        settings.muscle_v * _muscle(body, n_times, sfreq, rng),
        settings.movement_v_s_per_mm * _head_speed(body, n_times, sfreq),
    ]
    return patterns / np.abs(patterns).max(axis=0) @ np.array(courses)


def bold_changes(
    body: Body, settings: Physiology, onset_s: NDArray[np.float64], n_regions: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Relative change of BOLD, in each region and, first of all, outside them.

    Parameters
    ----------
    onset_s : float64 array, shape (n_volumes,)
        s from the EEG's first sample.
    rng : numpy.random.Generator
        Draws what each region shows of movement: the same for all persons.

    Returns
    -------
    float64 array, shape (n_regions + 1, n_volumes)
    """
    lags_s = np.arange(round(RESPONSE_LENGTH_S * RATE_HZ)) / RATE_HZ
    heart = responses.respond(body.heart_rate_hz, responses.cardiac_response(lags_s))
    breath = responses.respond(responses.respiration_volume(body.breath, RATE_HZ), responses.respiratory_response(lags_s))
    everywhere = settings.cardiac_percent * heart / heart.std() + settings.respiratory_percent * breath / breath.std()
    moved_mm = at_times(body, body.motion, onset_s) * [1, 1, 1, *[_HEAD_RADIUS_MM] * 3]
    by_place = settings.movement_percent_per_mm * rng.standard_normal((n_regions + 1, 6))
    return 1e-2 * (at_times(body, everywhere, onset_s) + by_place @ (moved_mm - moved_mm.mean(axis=0)).T)


def _pulse(body: Body, n_times: int, sfreq: float) -> NDArray[np.float64]:
    """Pulse artifact with an amplitude of about 1, shape (n_times,)."""
    breath, rate_hz = (np.interp(body.beats_s, body.times_s, course) for course in (body.breath, body.heart_rate_hz))
    heights = np.exp(_PULSE_BY_BREATH * breath) * (rate_hz / body.heart_rate_hz.mean()) ** _PULSE_BY_RATE
    samples = np.round((body.beats_s + _PULSE_DELAY_S) * sfreq).astype(np.int64)
    inside = (samples >= 0) & (samples < n_times)
    train = np.bincount(samples[inside], weights=heights[inside], minlength=n_times)
    around_s = np.arange(-round(4 * _PULSE_WIDTH_S * sfreq), round(4 * _PULSE_WIDTH_S * sfreq) + 1) / sfreq
    wave = np.exp(-0.5 * (around_s / _PULSE_WIDTH_S) ** 2) * np.cos(2 * np.pi * _PULSE_HZ * around_s)
    return fftconvolve(train, wave, mode="same")


def _muscle(body: Body, n_times: int, sfreq: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise of muscles with an rms of about 1, more with deeper breaths and while breathing in, shape (n_times,)."""
    high_hz = min(_MUSCLE_HZ[1], _HIGHEST_SHARE * sfreq)
    band = butter(4, (high_hz * _MUSCLE_HZ[0] / _MUSCLE_HZ[1], high_hz), "bandpass", fs=sfreq, output="sos")
    noise = sosfilt(band, rng.standard_normal(n_times))
    return noise / noise.std() * at_times(body, body.depth + body.breath, np.arange(n_times) / sfreq)


def _head_speed(body: Body, n_times: int, sfreq: float) -> NDArray[np.float64]:
    """How fast the head nods, mm/s, shape (n_times,)."""
    speed = np.gradient(_HEAD_RADIUS_MM * body.motion[:, 3]) * RATE_HZ
    return at_times(body, speed, np.arange(n_times) / sfreq)
