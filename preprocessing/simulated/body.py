"""What a body does in a scanner: it breathes, its heart beats, its head moves; and what a belt, an ECG and an image tell of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from crossmodal.config.simulation import Physiology
from crossmodal.physics.physiology import RATE_HZ, RESPONSE_LENGTH_S
from preprocessing.simulated.artifacts import ECG_V, heart_waves

# Heart rate rises with each breath in (respiratory sinus arrhythmia), Hz.
_ARRHYTHMIA_HZ = 0.03
_BREATH_SPREAD_HZ = 0.02
_ECG_NOISE_V, _BELT_V = 2e-5, 1e-3
_DRIFT_TIME_S = 40.0
_NOD_INTERVAL_S, _NOD_BEGINS_S, _NOD_ENDS_S = 30.0, 0.5, 6.0
# How the head goes with a nod and with a breath in: translations, mm, per mm; rotations, rad per mm, about the axes through the ears, the
# nose and the crown.
_NOD = np.array([0.0, -0.4, -0.8, 8e-3, 0.0, 0.0])
_BREATH = np.array([0.0, 0.1, 0.3, 2e-3, 0.0, 0.0])
_DRIFT = np.array([0.5, 0.5, 1.0, 5e-3, 3e-3, 3e-3])


@dataclass(frozen=True)
class Body:
    """Heartbeat, breath and head movement over a run, from `RESPONSE_LENGTH_S` before the EEG's first sample on.

    Attributes
    ----------
    times_s : float64 array, shape (n_times,)
        s from the EEG's first sample, at `RATE_HZ`.
    heart_rate_hz : float64 array, shape (n_times,)
    beats_s : float64 array, shape (n_beats,)
        Times of R waves.
    breath : float64 array, shape (n_times,)
        How far the chest is from its mean: an amplitude of 1 on average.
    depth : float64 array, shape (n_times,)
        Of the breaths.
    motion : float64 array, shape (n_times, 6)
        Translations, mm, and rotations, rad.
    """

    times_s: NDArray[np.float64]
    heart_rate_hz: NDArray[np.float64]
    beats_s: NDArray[np.float64]
    breath: NDArray[np.float64]
    depth: NDArray[np.float64]
    motion: NDArray[np.float64]


def draw_body(physiology: Physiology, duration_s: float, rng: np.random.Generator) -> Body:
    """Draw a run of so many seconds from the EEG's first sample on."""
    times_s = np.arange(round((RESPONSE_LENGTH_S + duration_s) * RATE_HZ) + 1) / RATE_HZ - RESPONSE_LENGTH_S
    slow_rate, slow_depth, slow_pace = slow_noise(3, len(times_s), physiology.change_time_s * RATE_HZ, rng)
    depth = np.exp(physiology.breath_depth * slow_depth - physiology.breath_depth**2 / 2)
    phase = 2 * np.pi * np.cumsum(physiology.breath_hz + _BREATH_SPREAD_HZ * slow_pace) / RATE_HZ
    breath = depth * np.sin(phase)
    heart_rate_hz = physiology.heart_rate_hz + physiology.heart_rate_spread_hz * slow_rate + _ARRHYTHMIA_HZ * np.sin(phase)
    beats = np.cumsum(np.maximum(heart_rate_hz, 0.3)) / RATE_HZ
    beats_s = np.interp(np.arange(np.ceil(beats[0]), beats[-1]), beats, times_s)
    drift = slow_noise(6, len(times_s), _DRIFT_TIME_S * RATE_HZ, rng).T
    motion = physiology.movement_mm * (drift * _DRIFT + breath[:, None] * _BREATH + _nods(times_s, rng)[:, None] * _NOD)
    return Body(times_s, heart_rate_hz, beats_s, breath, depth, motion)


def recorded_ecg(body: Body, n_times: int, sfreq: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """What electrodes on the chest record from the EEG's first sample on, V, shape (n_times,)."""
    return ECG_V * heart_waves(body.beats_s, n_times, sfreq) + _ECG_NOISE_V * rng.standard_normal(n_times)


def recorded_respiration(body: Body, n_times: int, sfreq: float) -> NDArray[np.float64]:
    """What a respiratory belt records from the EEG's first sample on, V, shape (n_times,)."""
    return _BELT_V * at_times(body, body.breath, np.arange(n_times) / sfreq)


def at_times(body: Body, course: NDArray[np.float64], times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate a time course of a body, shape (n_times,) or (n_times, n), at other times."""
    columns = course.reshape(len(course), -1).T
    return np.stack([np.interp(times_s, body.times_s, column) for column in columns], axis=-1).reshape(len(times_s), *course.shape[1:])


def slow_noise(n_rows: int, n_times: int, width: float, rng: np.random.Generator, deviation: float = 1.0) -> NDArray[np.float64]:
    """White noise smoothed by a Gaussian of `width` samples, with a standard deviation, shape (n_rows, n_times)."""
    margin = round(4 * width)
    smooth = gaussian_filter1d(rng.standard_normal((n_rows, n_times + 2 * margin)), width, axis=1)[:, margin : margin + n_times]
    # White noise smoothed by a Gaussian of this width has variance 1 / (2 sqrt(pi) width).
    return deviation * smooth * np.sqrt(2 * np.sqrt(np.pi) * width)


def _nods(times_s: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Movements that begin within half a second and end within some, shape (n_times,), mm per mm of their mean size."""
    moved = np.zeros(len(times_s))
    for begin_s in np.sort(rng.uniform(times_s[0], times_s[-1], rng.poisson((times_s[-1] - times_s[0]) / _NOD_INTERVAL_S))):
        since_s = np.maximum(times_s - begin_s, 0.0)
        moved += rng.lognormal(-0.08, 0.4) * (np.exp(-since_s / _NOD_ENDS_S) - np.exp(-since_s / _NOD_BEGINS_S))
    return moved
