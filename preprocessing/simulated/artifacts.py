"""Eyes and heart: what they do over time, and what all sensors, EOG and ECG electrodes see of it."""

import mne
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from crossmodal.physics.cortex import template_head
from crossmodal.physics.geometry import Dipoles
from crossmodal.physics.head import HeadModel, lead_field, sphere_head, upper_scalp
from preprocessing.simulated.subject import Subject

# From the nasion, template head, m.
_EYES_M = np.array([[-0.032, -0.02, -0.005], [0.032, -0.02, -0.005]])
_EOG_ELECTRODES_M = np.array([[-0.05, -0.025, 0.0], [0.05, -0.025, 0.0], [-0.032, -0.012, 0.025], [-0.032, -0.012, -0.03]])
# In head coordinates of the template, m.
_NECK_M = np.array([0.01, 0.0, -0.05])
# As strong as makes frontal electrodes see blinks of 70 uV and EOG electrodes 10 uV a degree of gaze.
_BLINK_MOMENT_AM = 2.4e-7
_GAZE_MOMENT_AM_PER_DEG = 6e-9
_HEART_MOMENT_AM = 6e-8
# Of the sphere's radius: a sphere that fits the scalp does not reach the eyes.
_RELATIVE_DEPTH = 0.85
ECG_V = 1e-3
_BLINK_INTERVAL_S, _BLINK_WIDTH_S = 5.0, 0.06
_GAZE_INTERVAL_S, _GAZE_SPREAD_DEG = 1.5, 3.0
_HEART_PERIOD_S, _HEART_PERIOD_SPREAD_S = 0.9, 0.05
# Offset from the R peak (s), width (s) and height of the waves P, Q, R, S, T.
_HEART_WAVES = ((-0.18, 0.025, 0.12), (-0.03, 0.008, -0.12), (0.0, 0.01, 1.0), (0.03, 0.01, -0.25), (0.25, 0.05, 0.25))


def artifact_topographies(subject: Subject) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What blink, gaze and heartbeat of unit moment look like.

    Returns
    -------
    sensors : ndarray, shape (n_channels, 3)
        At the channels `subject.names`.
    eog : ndarray, shape (2, 3)
        Horizontal (right minus left) and vertical (above minus below the left eye) EOG.
    """
    head = sphere_head(upper_scalp(template_head().scalp_m) * subject.head_scale, skull=False)
    dipoles, mixing = _artifact_dipoles(head, subject.head_scale)
    picks = [subject.info["ch_names"].index(name) for name in subject.names]
    sensors = lead_field(mne.pick_info(subject.info, picks), dipoles, head) @ mixing
    names = ["left", "right", "above", "below"]
    face = mne.create_info(names, subject.info["sfreq"], "eeg")
    positions_m = (template_head().nasion_m + _EOG_ELECTRODES_M) * subject.head_scale
    face.set_montage(mne.channels.make_dig_montage(dict(zip(names, positions_m, strict=True)), coord_frame="head"))
    left, right, above, below = lead_field(face, dipoles, head) @ mixing
    return sensors, np.array([right - left, above - below])


def artifact_moments(n_times: int, sfreq: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Moments of blinks, gaze and heartbeats over a run, A m, shape (3, n_times)."""
    duration_s = n_times / sfreq
    blinks_s = _arrivals(duration_s, _BLINK_INTERVAL_S, rng)
    blink = _pulses(blinks_s, rng.lognormal(0, 0.2, len(blinks_s)), _BLINK_WIDTH_S, n_times, sfreq)
    saccades_s = _arrivals(duration_s, _GAZE_INTERVAL_S, rng)
    gaze_deg = np.concatenate([[0.0], _GAZE_SPREAD_DEG * rng.standard_normal(len(saccades_s))])
    gaze = gaze_deg[np.searchsorted(saccades_s, np.arange(n_times) / sfreq)]
    beats_s = np.cumsum(rng.normal(_HEART_PERIOD_S, _HEART_PERIOD_SPREAD_S, size=int(1.5 * duration_s / _HEART_PERIOD_S) + 1))
    return np.array([_BLINK_MOMENT_AM * blink, _GAZE_MOMENT_AM_PER_DEG * gaze, _HEART_MOMENT_AM * heart_waves(beats_s, n_times, sfreq)])


def heart_waves(beats_s: NDArray[np.float64], n_times: int, sfreq: float) -> NDArray[np.float64]:
    """Waves P to T of heartbeats whose R waves peak at the times given with a height of about 1, shape (n_times,)."""
    heart = np.zeros(n_times)
    for offset_s, width_s, height in _HEART_WAVES:
        heart += _pulses(beats_s + offset_s, np.full(len(beats_s), height), width_s, n_times, sfreq)
    return heart


def ecg_voltage(moments: NDArray[np.float64]) -> NDArray[np.float64]:
    """What electrodes on the chest see of `artifact_moments`, V, shape (n_times,)."""
    return ECG_V / _HEART_MOMENT_AM * moments[2]


def _artifact_dipoles(head: HeadModel, head_scale: float) -> tuple[Dipoles, NDArray[np.float64]]:
    """Equivalent dipoles of lids (to the front and up), gaze (to the right) and heart, and their moments (5, 3) per unit of each."""
    eyes_m = template_head().nasion_m + _EYES_M
    offset_m = np.vstack([eyes_m, eyes_m, _NECK_M]) * head_scale - head.centre_m
    offset_m *= _RELATIVE_DEPTH * head.eeg["layers"][-1]["rad"] / np.linalg.norm(offset_m, axis=1, keepdims=True)
    lid, right, heart = [0.0, 0.87, 0.5], [1.0, 0.0, 0.0], [-0.6, 0.5, -0.62]
    return Dipoles(head.centre_m + offset_m, np.array([lid, lid, right, right, heart])), np.repeat(np.eye(3), [2, 2, 1], axis=0)


def _arrivals(duration_s: float, mean_interval_s: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Times of a Poisson process, s, ascending."""
    return np.sort(rng.uniform(0, duration_s, rng.poisson(duration_s / mean_interval_s)))


def _pulses(peaks_s: NDArray[np.float64], heights: NDArray[np.float64], width_s: float, n_times: int, sfreq: float) -> NDArray[np.float64]:
    """Add up Gaussian pulses, shape (n_times,); those outside the run are left out."""
    samples = np.round(peaks_s * sfreq).astype(np.int64)
    inside = (samples >= 0) & (samples < n_times)
    train = np.bincount(samples[inside], weights=heights[inside], minlength=n_times)
    return gaussian_filter1d(train, width_s * sfreq, mode="constant") * width_s * sfreq * np.sqrt(2 * np.pi)
