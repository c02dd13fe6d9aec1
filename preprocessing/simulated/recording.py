"""One run of one subject: ongoing activity, evoked responses, artifacts and noise at every channel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossmodal.config.simulation import Simulation
from crossmodal.physics.gaussian import sample_signal
from crossmodal.physics.sources import sensor_factor, source_components
from crossmodal.physics.truth import SubjectTruth
from preprocessing.simulated.artifacts import artifact_moments, artifact_topographies, ecg_voltage
from preprocessing.simulated.evoked import Stimuli, draw_stimuli, evoked_moments, evoked_topographies
from preprocessing.simulated.mains import mains_hum
from preprocessing.simulated.sensors import AUXILIARY, ECG, HEOG, VEOG
from preprocessing.simulated.subject import Subject

_AUXILIARY_NOISE_V = 1e-6


@dataclass(frozen=True)
class Patterns:
    """What the sensors, and the EOG, see of unit moments: (n_channels, n_responses), (n_channels, 3) and (2, 3)."""

    evoked: NDArray[np.float64]
    artifacts: NDArray[np.float64]
    eog: NDArray[np.float64]


@dataclass(frozen=True)
class Run:
    """Signals (n_channels, n_times) in SI units, channels as in the subject's info, and the stimuli its events file lists."""

    data: NDArray[np.float64]
    stimuli: Stimuli


def subject_truth(subject: Subject, simulation: Simulation) -> SubjectTruth:
    """Second-order truth of a subject's stationary signals; in a null cohort each modality has sources of its own."""
    band_limit_hz = simulation.sfreq / 2
    components = source_components(
        subject.cortex.positions_m, simulation.correlation_length_m, simulation.source_moment_am, simulation.spectrum, band_limit_hz
    )
    factors, spectra = [], []
    for rows in _dependent_rows(subject, simulation):
        for component in components:
            factors.append(sensor_factor(subject.lead_field * rows[:, None], component.covariance))
            spectra.append(component.density)
    noise = {"eeg": simulation.eeg_noise_v, "mag": simulation.mag_noise_t, "grad": simulation.grad_noise_t_per_m}
    noise_density = np.array([noise[channel_type] ** 2 / band_limit_hz for channel_type in subject.types])
    return SubjectTruth(subject.names, subject.types, tuple(factors), tuple(spectra), noise_density, simulation.sfreq)


def sensor_patterns(subject: Subject) -> Patterns:
    """Compute once a subject what all its runs need."""
    return Patterns(evoked_topographies(subject), *artifact_topographies(subject))


def simulate_run(subject: Subject, truth: SubjectTruth, patterns: Patterns, simulation: Simulation, run: int) -> Run:
    """Draw one run; the same one every time."""
    rng = np.random.default_rng([simulation.seed, int(subject.label), 1, run])
    n_kept = round(simulation.duration_s * simulation.sfreq)
    ahead = _samples_ahead(subject, simulation, run)
    n_times = n_kept + ahead
    sensors = sample_signal(truth, n_times, rng)
    auxiliary = dict(zip(AUXILIARY, _AUXILIARY_NOISE_V * rng.standard_normal((len(AUXILIARY), n_times)), strict=True))
    stimuli = draw_stimuli(n_times, simulation.sfreq, rng)
    for rows in _dependent_rows(subject, simulation):
        if simulation.evoked:
            # What the events file lists drives both modalities, or in a null cohort neither of them.
            seen = draw_stimuli(n_times, simulation.sfreq, rng) if simulation.cohort == "null" else stimuli
            subject_rng = np.random.default_rng([simulation.seed, int(subject.label), 2])
            moments = evoked_moments(seen, n_times, simulation.sfreq, subject_rng, rng)
            sensors += rows[:, None] * (patterns.evoked @ moments)
        if simulation.artifacts:
            moments = artifact_moments(n_times, simulation.sfreq, rng)
            sensors += rows[:, None] * (patterns.artifacts @ moments)
            if rows[subject.types.index("eeg")]:
                auxiliary[HEOG] += patterns.eog[0] @ moments
                auxiliary[VEOG] += patterns.eog[1] @ moments
                auxiliary[ECG] += ecg_voltage(moments)
    if simulation.mains_hz:
        room = np.random.default_rng([simulation.seed, 4])
        sensors += mains_hum(subject.types, simulation.mains_hz, n_times, simulation.sfreq, room, rng)
    starts = [0 if kind == "eeg" else ahead for kind in subject.types]
    signals = {name: x_t[start : start + n_kept] for name, x_t, start in zip(subject.names, sensors, starts, strict=True)}
    signals |= {name: x_t[:n_kept] for name, x_t in auxiliary.items()}
    return Run(np.array([signals[name] for name in subject.info["ch_names"]]), stimuli.before(n_kept))


def _samples_ahead(subject: Subject, simulation: Simulation, run: int) -> int:
    """By how much MEG runs ahead of EEG in a shifted cohort: another amount in each recording, beyond what any model looks back."""
    if simulation.cohort != "shifted":
        return 0
    rng = np.random.default_rng([simulation.seed, int(subject.label), 3, run])
    return round(rng.uniform(10, 30) * simulation.sfreq)


def _dependent_rows(subject: Subject, simulation: Simulation) -> list[NDArray[np.bool_]]:
    """Split channels (masks over `subject.names`) into those that share sources, stimuli and artifacts: all, or each modality."""
    eeg = np.array(subject.types) == "eeg"
    return [eeg, ~eeg] if simulation.cohort == "null" else [np.ones_like(eeg)]
