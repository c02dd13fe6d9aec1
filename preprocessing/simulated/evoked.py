"""What stimuli evoke: patches of visual cortex that answer a picture, faces more than scrambled ones."""

from dataclasses import dataclass

import numpy as np
from mne.transforms import apply_trans
from numpy.typing import NDArray

from crossmodal.physics.cortex import template_head
from preprocessing.simulated.subject import Subject

CLASSES = ("Famous", "Unfamiliar", "Scrambled")
_PATCH_RADIUS_M = 0.008
_INTERVAL_S = (2.2, 2.8)
# Of the run, free of stimuli, so that epochs around them lie inside.
_EDGES_S = (0.6, 2.0)
# Spread between subjects, then between the trials of one.
_SUBJECT_LATENCY_S, _SUBJECT_GAIN = 0.008, 0.15
_TRIAL_LATENCY_S, _TRIAL_GAIN = 0.005, 0.2


@dataclass(frozen=True)
class Response:
    """A patch of cortex on both sides, centred in fsaverage's coordinates, and its moment a class, A m along the outward normal."""

    centre_mm: tuple[float, float, float]
    latency_s: float
    width_s: float
    moments_am: tuple[float, float, float]


RESPONSES = (
    Response((12, -95, 0), 0.100, 0.018, (30e-9, 30e-9, 34e-9)),  # early visual cortex, P100
    Response((40, -55, -18), 0.170, 0.020, (-70e-9, -66e-9, -26e-9)),  # fusiform gyrus, N170
    Response((42, -10, -28), 0.400, 0.100, (30e-9, 18e-9, 12e-9)),  # anterior temporal lobe, familiarity
)


@dataclass(frozen=True)
class Stimuli:
    """Onsets in samples, ascending, and the class (index into CLASSES) of each."""

    onset_sample: NDArray[np.int64]
    class_index: NDArray[np.int64]

    def before(self, stop: int) -> "Stimuli":
        """Keep those whose onset lies before a sample."""
        kept = self.onset_sample < stop
        return Stimuli(self.onset_sample[kept], self.class_index[kept])


def draw_stimuli(n_times: int, sfreq: float, rng: np.random.Generator) -> Stimuli:
    """Draw onsets at uneven intervals and as many of each class as there can be, in random order.

    The first may be anywhere within an interval, lest two draws run in step for a while.
    """
    intervals_s = rng.uniform(*_INTERVAL_S, size=int(n_times / sfreq / _INTERVAL_S[0]) + 1)
    onsets_s = rng.uniform(0.0, np.mean(_INTERVAL_S)) + np.cumsum(intervals_s) - intervals_s[0]
    onsets_s = onsets_s[(onsets_s > _EDGES_S[0]) & (onsets_s < n_times / sfreq - _EDGES_S[1])]
    classes = rng.permutation(np.arange(len(onsets_s)) % len(CLASSES))
    return Stimuli(np.round(onsets_s * sfreq).astype(np.int64), classes.astype(np.int64))


def evoked_topographies(subject: Subject) -> NDArray[np.float64]:
    """What the sensors see of unit moments in each response's patches, shape (n_channels, n_responses)."""
    mri_to_head = np.linalg.inv(template_head().head_to_mri)
    topographies = []
    for response in RESPONSES:
        weights = np.zeros(len(subject.cortex))
        for side in (-1, 1):
            centre_mri_m = np.array(response.centre_mm) * [side * 1e-3, 1e-3, 1e-3]
            distance_sq = ((subject.cortex.positions_m / subject.head_scale - apply_trans(mri_to_head, centre_mri_m)) ** 2).sum(axis=1)
            patch = np.exp(-(distance_sq - distance_sq.min()) / (2 * _PATCH_RADIUS_M**2))
            weights += patch / patch.sum()
        topographies.append(subject.lead_field @ weights)
    return np.array(topographies).T


def evoked_moments(
    stimuli: Stimuli, n_times: int, sfreq: float, subject_rng: np.random.Generator, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Moments of each response over a run, A m, shape (n_responses, n_times).

    `subject_rng` draws what a subject keeps through all runs, `rng` what changes from trial to trial.
    """
    times_s = np.arange(n_times) / sfreq
    moments = np.zeros((len(RESPONSES), n_times))
    latency_shift_s = _SUBJECT_LATENCY_S * subject_rng.standard_normal(len(RESPONSES))
    gains = np.exp(_SUBJECT_GAIN * subject_rng.standard_normal(len(RESPONSES)))
    for onset, class_index in zip(stimuli.onset_sample, stimuli.class_index, strict=True):
        jitter_s = _TRIAL_LATENCY_S * rng.standard_normal(len(RESPONSES))
        trial_gain = np.exp(_TRIAL_GAIN * rng.standard_normal(len(RESPONSES)))
        for index, response in enumerate(RESPONSES):
            peak_s = onset / sfreq + response.latency_s + latency_shift_s[index] + jitter_s[index]
            window = slice(*np.searchsorted(times_s, (peak_s - 4 * response.width_s, peak_s + 4 * response.width_s)))
            shape = np.exp(-((times_s[window] - peak_s) ** 2) / (2 * response.width_s**2))
            moments[index, window] += gains[index] * trial_gain[index] * response.moments_am[class_index] * shape
    return moments
