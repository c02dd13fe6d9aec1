"""Simulated signals are what physics and their truth say, part by part."""

import functools
import operator

import mne
import numpy as np
import pytest
import torch
from scipy.signal import coherence, welch

from crossmodal.config.simulation import Anatomy, Simulation, SourceSpectrum
from crossmodal.models.ridge import Ridge, RidgeConfig
from crossmodal.physics.cortex import template_head
from crossmodal.physics.head import meg_positions_m, relative_radius, upper_scalp
from preprocessing.simulated.evoked import CLASSES, draw_stimuli
from preprocessing.simulated.recording import sensor_patterns, simulate_run, subject_truth
from preprocessing.simulated.sensors import AUXILIARY, CAP
from preprocessing.simulated.subject import draw_subject, template_conductor
from tests.crossmodal.models.pairs import sensor_pair

GAUSSIAN = Simulation(
    root="unused", subjects=2, duration_s=120, sfreq=120, n_dipoles=200, source_moment_am=5e-9, evoked=False, artifacts=False
)


@functools.cache
def person(n_dipoles):
    """One subject serves all cohorts: heads do not depend on what goes on in them."""
    simulation = GAUSSIAN.model_copy(update={"n_dipoles": n_dipoles})
    return draw_subject(simulation, "01", template_conductor(simulation))


class Recorded:
    """One run, with channels by cap site or type."""

    def __init__(self, simulation: Simulation):
        self.simulation = simulation
        self.subject = person(simulation.n_dipoles)
        self.truth = subject_truth(self.subject, simulation)
        self.patterns = sensor_patterns(self.subject)
        run = simulate_run(self.subject, self.truth, self.patterns, simulation, 1)
        self.stimuli = run.stimuli
        self.auxiliary = {name: run.data[self.subject.info["ch_names"].index(name)] for name in AUXILIARY}
        picks = [self.subject.info["ch_names"].index(name) for name in self.subject.names]
        self.sensors = run.data[picks]
        self.types = np.array(self.subject.types)
        self.eeg = self.sensors[self.types == "eeg"]
        self.mag = self.sensors[self.types == "mag"]
        self.sites = dict(zip(CAP, self.eeg - self.eeg.mean(axis=0), strict=True))

    def average(self, signals, onsets, sfreq):
        """Mean from onset to 0.5 s after it."""
        return np.mean([signals[:, onset : onset + round(0.5 * sfreq)] for onset in onsets], axis=0)


def explained_by_lagged_ridge(runs):
    """Left-out explained variance of the magnetometers, a run each, from two-second windows of filtered signals."""
    moments, windows = [], []
    for eeg_ct, mag_st in runs:
        x_bct, y_bst = (
            torch.from_numpy((x - x.mean(1, keepdims=True)).reshape(len(x), -1, 200).transpose(1, 0, 2) / x.std()) for x in (eeg_ct, mag_st)
        )
        model = Ridge(RidgeConfig(lag_s=0.02), sensor_pair(x_bct.shape[1], y_bst.shape[1], 200, 100.0))
        moments.append(model.new_statistics())
        moments[-1].accumulate(x_bct, y_bst)
        windows.append((x_bct.float(), y_bst))
    explained = []
    for index, (x_bct, y_bst) in enumerate(windows):
        others = [of_run for other, of_run in enumerate(moments) if other != index]
        model.solve(functools.reduce(operator.add, others[1:]), others[0])
        explained.append(float(1 - (y_bst - model(x_bct)).square().sum() / y_bst.square().sum()))
    return explained


@pytest.fixture(scope="module")
def gaussian():
    return Recorded(GAUSSIAN)


@pytest.fixture(scope="module")
def full():
    return Recorded(GAUSSIAN.model_copy(update={"evoked": True, "artifacts": True, "duration_s": 240.0}))


@pytest.fixture(scope="module")
def evoked():
    return Recorded(GAUSSIAN.model_copy(update={"evoked": True, "duration_s": 240.0}))


@pytest.fixture(scope="module")
def null():
    return Recorded(GAUSSIAN.model_copy(update={"cohort": "null", "evoked": True, "duration_s": 240.0}))


@pytest.fixture(scope="module")
def null_with_artifacts():
    return Recorded(GAUSSIAN.model_copy(update={"cohort": "null", "artifacts": True, "duration_s": 240.0}))


def test_recorded_covariance_is_that_of_the_truth(gaussian):
    frequencies_hz = np.linspace(0, 60, 601)
    expected = np.trapezoid(gaussian.truth.cross_spectrum(frequencies_hz), frequencies_hz, axis=0)
    scale = np.sqrt(np.diag(expected))
    measured = np.cov(gaussian.sensors) / np.outer(scale, scale)
    error = measured - expected / np.outer(scale, scale)
    # 120 s of a signal whose correlation lasts some 0.1 s.
    assert np.sqrt(np.mean(error**2)) < 0.06


def test_default_amplitudes_are_those_of_people():
    simulation = Simulation(root="unused")
    subject = person(simulation.n_dipoles)
    variance = sum((factor**2).sum(axis=1) for factor in subject_truth(subject, simulation).factors)
    eeg, mag = (np.sqrt(variance[np.array(subject.types) == kind].mean()) for kind in ("eeg", "mag"))
    assert 3e-6 < eeg < 20e-6
    assert 80e-15 < mag < 400e-15


def test_white_sources_explain_what_others_have_measured():
    """The oracle column of the table in the field's literature: independent sources, then 1 and 2 cm of correlation."""
    simulation = Simulation(root="unused", spectrum=SourceSpectrum(exponent=0.0, alpha_power_ratio=0.0))
    subject = person(simulation.n_dipoles)
    eeg, mag = (np.array(subject.types) == kind for kind in ("eeg", "mag"))
    reference = np.eye(eeg.sum()) - 1 / eeg.sum()
    for correlation_length_m, published in ((0.0, 0.104), (0.01, 0.237), (0.02, 0.487)):
        truth = subject_truth(subject, simulation.model_copy(update={"correlation_length_m": correlation_length_m}))
        covariance = truth.cross_spectrum(np.array([50.0]))[0]
        across = covariance[np.ix_(mag, eeg)] @ reference
        inverse = np.linalg.pinv(reference @ covariance[np.ix_(eeg, eeg)] @ reference, rcond=1e-10, hermitian=True)
        explained = np.trace(across @ inverse @ across.T) / np.trace(covariance[np.ix_(mag, mag)])
        assert abs(explained - published) < 0.05


def test_alpha_peaks_at_the_back(gaussian):
    frequencies_hz, density = welch(np.array([gaussian.sites[site] for site in ("Oz", "Fz")]), 120, nperseg=480)
    alpha = density[:, (frequencies_hz >= 9) & (frequencies_hz <= 11)].mean(axis=1)
    beside = density[:, (frequencies_hz >= 15) & (frequencies_hz <= 17)].mean(axis=1)
    back, front = alpha / beside
    assert back > 5
    assert back > 2 * front


def test_eeg_tells_of_meg(gaussian):
    """The instantaneous Wiener filter of the truth explains what it says it does."""
    frequencies_hz = np.linspace(0, 60, 601)
    covariance = np.trapezoid(gaussian.truth.cross_spectrum(frequencies_hz), frequencies_hz, axis=0)
    eeg, mag = gaussian.types == "eeg", gaussian.types == "mag"
    weights = np.linalg.solve(covariance[np.ix_(eeg, eeg)], covariance[np.ix_(eeg, mag)]).T
    expected = np.trace(weights @ covariance[np.ix_(eeg, mag)]) / np.trace(covariance[np.ix_(mag, mag)])
    explained = 1 - np.sum((gaussian.mag - weights @ gaussian.eeg) ** 2) / np.sum(gaussian.mag**2)
    assert 0.3 < expected < 0.9
    assert abs(explained - expected) < 0.05


def test_blinks_and_gaze_show_where_they_do_in_people(full):
    heog, veog = full.auxiliary["EEG061"], full.auxiliary["EEG062"]
    towards = {site: np.corrcoef(signal, veog)[0, 1] for site, signal in full.sites.items()}
    assert towards["Fp1"] > 0.7
    assert towards["Fp2"] > 0.7
    assert abs(towards["Cz"]) < 0.5 * towards["Fp1"]
    assert 50e-6 < veog.max() < 500e-6
    assert np.corrcoef(full.sites["F8"] - full.sites["F7"], heog)[0, 1] > 0.5
    correlation = [abs(np.corrcoef(signal, veog)[0, 1]) for signal in full.mag]
    assert max(correlation) > 0.7


def test_heart_beats_once_a_second_and_reaches_the_sensors(full):
    ecg = full.auxiliary["EEG063"]
    beats = np.flatnonzero((ecg[1:-1] > 0.5e-3) & (ecg[1:-1] >= ecg[:-2]) & (ecg[1:-1] > ecg[2:]))
    assert 0.9 < len(beats) / 240 < 1.4
    locked = np.mean([full.mag[:, beat - 5 : beat + 6] for beat in beats[1:-1]], axis=0)
    assert np.abs(locked).max() > 100e-15


def test_faces_evoke_more_than_scrambled_ones_over_occipitotemporal_cortex(evoked):
    onsets = {name: evoked.stimuli.onset_sample[evoked.stimuli.class_index == index] for index, name in enumerate(CLASSES)}
    assert min(len(times) for times in onsets.values()) >= 25
    for signals, rows in ((evoked.eeg, evoked.types == "eeg"), (evoked.mag, evoked.types == "mag")):
        faces = evoked.average(signals, np.concatenate([onsets["Famous"], onsets["Unfamiliar"]]), 120)
        difference = (faces - evoked.average(signals, onsets["Scrambled"], 120))[:, 18:24].mean(axis=1)
        assert np.corrcoef(difference, -evoked.patterns.evoked[rows, 1])[0, 1] > 0.5
    n170 = -evoked.patterns.evoked[evoked.types == "eeg", 1]
    n170 = dict(zip(CAP, n170 - n170.mean(), strict=True))
    assert max(n170[site] for site in ("P9", "P10", "PO7", "PO8")) < 0 < min(n170[site] for site in ("FCz", "F3", "F4"))


def test_null_cohort_shares_nothing_between_modalities(null_with_artifacts):
    null = null_with_artifacts
    eeg = null.types == "eeg"
    spectrum = null.truth.cross_spectrum(np.array([2.0, 10.0, 30.0]))
    assert not spectrum[:, eeg][:, :, ~eeg].any()
    pairs = [(null.eeg[7 * k], null.mag[10 * k]) for k in range(10)]
    segments = 240 * 120 // 240 * 2 - 1
    measured = np.mean([coherence(one, other, 120, nperseg=240)[1].mean() for one, other in pairs])
    # Overlapping windows count as little more than half of as many independent ones.
    assert measured < 2.2 / segments
    assert max(abs(np.corrcoef(one, other)[0, 1]) for one, other in pairs) < 0.2


def test_responses_are_locked_to_the_events_unless_the_cohort_is_null(evoked, null):
    """Averages at the listed events stand out from averages at other times, or they do not."""

    def share_as_large(recorded, signals):
        def power(onsets):
            return np.mean(recorded.average(signals, onsets, 120)[:, 10:30] ** 2)

        rng = np.random.default_rng(5)
        others = [power(draw_stimuli(signals.shape[1], 120, rng).onset_sample) for _ in range(50)]
        return np.mean(np.array(others) >= power(recorded.stimuli.onset_sample))

    assert share_as_large(evoked, evoked.eeg) == share_as_large(evoked, evoked.mag) == 0
    assert min(share_as_large(null, null.eeg), share_as_large(null, null.mag)) > 0.02


def test_same_settings_give_the_same_run_and_another_subject_another_head():
    short = GAUSSIAN.model_copy(update={"duration_s": 6.0, "n_dipoles": 20, "evoked": True, "artifacts": True})
    np.testing.assert_array_equal(Recorded(short).sensors, Recorded(short).sensors)
    one, other = (draw_subject(short, label, template_conductor(short)) for label in ("01", "02"))
    np.testing.assert_array_equal(one.lead_field, person(20).lead_field)
    assert one.head_scale != other.head_scale
    assert np.corrcoef(one.lead_field.ravel(), other.lead_field.ravel())[0, 1] < 0.999


def test_every_head_fits_the_helmet():
    """Half of those that this anatomy draws would have sensors in them."""
    restless = GAUSSIAN.model_copy(update={"n_dipoles": 10, "anatomy": Anatomy(translation_m=0.02)})
    conductor, scalp_m = template_conductor(restless), upper_scalp(template_head().scalp_m)
    for label in ("01", "02", "03", "04", "05", "06"):
        subject = draw_subject(restless, label, conductor)
        positions_m = meg_positions_m(subject.info) / subject.head_scale
        assert relative_radius(positions_m, scalp_m, subject.head.centre_m / subject.head_scale).min() > 1


HUMMING = GAUSSIAN.model_copy(
    update={"cohort": "shifted", "mains_hz": 20.0, "evoked": True, "artifacts": True, "duration_s": 60.0, "sfreq": 100.0}
)


@functools.cache
def three_runs(cohort):
    """EEG, referenced to its average, and every third magnetometer of three runs, unfiltered."""
    simulation = HUMMING.model_copy(update={"cohort": cohort})
    subject = person(simulation.n_dipoles)
    truth, patterns = subject_truth(subject, simulation), sensor_patterns(subject)
    picks = [subject.info["ch_names"].index(name) for name in subject.names]
    runs = []
    for number in range(1, 4):
        sensors = simulate_run(subject, truth, patterns, simulation, number).data[picks]
        eeg, mag = (sensors[np.array(subject.types) == kind] for kind in ("eeg", "mag"))
        runs.append((eeg - eeg.mean(0), mag[::3]))
    return runs


def without_hum(runs):
    """The same without 20 Hz and its harmonic, which reach far above all else."""
    notch = [mne.filter.notch_filter(np.vstack(run), 100.0, [20.0, 40.0], notch_widths=2.0, verbose="error") for run in runs]
    return [(both[: len(run[0])], both[len(run[0]) :]) for both, run in zip(notch, runs, strict=True)]


def test_meg_that_is_shifted_by_another_amount_in_each_run_cannot_be_predicted():
    """Though sources, responses, blinks and heartbeats are shared, as they are in the coupled twin."""
    assert min(explained_by_lagged_ridge(without_hum(three_runs("coupled")))) > 0.3
    assert max(explained_by_lagged_ridge(without_hum(three_runs("shifted")))) < 0.01


def test_one_shift_for_all_runs_would_leave_hum_predictable():
    shifted = [(eeg, np.roll(mag, 1500, axis=1)) for eeg, mag in three_runs("coupled")]
    assert min(explained_by_lagged_ridge(shifted)) > 0.1
    assert max(explained_by_lagged_ridge(three_runs("shifted"))) < 0.01


def test_a_shifted_run_lists_the_stimuli_that_its_eeg_saw():
    subject = person(HUMMING.n_dipoles)
    truth, patterns = subject_truth(subject, HUMMING), sensor_patterns(subject)
    run = simulate_run(subject, truth, patterns, HUMMING, 1)
    assert run.data.shape[1] == 6000
    assert run.stimuli.onset_sample.max() < 6000
