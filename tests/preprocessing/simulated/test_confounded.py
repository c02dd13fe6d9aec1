"""The confounded cohort: EEG and BOLD share the body, which ECG, belt and motion parameters record; in other cohorts neither shows it."""

import numpy as np
import pytest

from crossmodal.config.simulation import EegFmriSimulation, Physiology
from crossmodal.physics.physiology import RATE_HZ, find_heartbeats, heart_rate, respiration_volume
from preprocessing.simulated.body import draw_body, recorded_ecg
from preprocessing.simulated.eeg_fmri import draw_fmri_subject, simulate_fmri_run
from preprocessing.steps.bold.scrubbing import framewise_displacement

SETTINGS = EegFmriSimulation(root="unused", subjects=1, n_volumes=150, sfreq=100, n_dipoles=60, regions=3, voxel_mm=16, seed=5)


@pytest.fixture(scope="module")
def runs():
    subject = draw_fmri_subject(SETTINGS, "01")
    cohorts = ("coupled", "null", "confounded")
    return {cohort: simulate_fmri_run(subject, SETTINGS.model_copy(update={"cohort": cohort}), 1) for cohort in cohorts}


def test_all_cohorts_record_the_same_body(runs):
    for cohort in ("coupled", "null"):
        for recorded in ("ecg", "respiration", "motion"):
            np.testing.assert_array_equal(getattr(runs[cohort], recorded), getattr(runs["confounded"], recorded))


def test_the_body_alone_is_added_to_the_null_cohort(runs):
    null, confounded = runs["null"], runs["confounded"]
    assert not null.confounds.any()
    assert not runs["coupled"].confounds.any()
    np.testing.assert_array_equal(null.response, confounded.response)
    artifacts = confounded.eeg - null.eeg
    assert (artifacts.std(axis=1) > 0).all()
    # A brain has a brightness of 1000.
    added = (confounded.image - null.image).reshape(-1, SETTINGS.n_volumes)
    brain = null.image.reshape(-1, SETTINGS.n_volumes).mean(axis=1) > 500
    assert added[brain].mean(axis=0).std() == pytest.approx(1000 * confounded.confounds.mean(axis=0).std(), rel=0.1)


def test_power_of_the_eeg_shows_heart_and_breath(runs):
    """Log power of an electrode follows what BOLD follows, so that a model of band power finds it."""
    confounded = runs["confounded"]
    body = draw_body(SETTINGS.physiology, 400, np.random.default_rng(0))
    assert abs(np.log(body.depth).std() - SETTINGS.physiology.breath_depth) < 0.15
    windows = confounded.eeg[:, : confounded.eeg.shape[1] // 600 * 600].reshape(len(confounded.eeg), -1, 600)
    power = np.log(windows.var(axis=2)).max(axis=0)
    volume = respiration_volume(confounded.respiration, SETTINGS.sfreq)[300::600][: len(power)]
    assert np.corrcoef(power, np.log(volume))[0, 1] > 0.5


def test_ecg_tells_the_heart_rate():
    body = draw_body(Physiology(), 300, np.random.default_rng(1))
    beats_s = find_heartbeats(recorded_ecg(body, 30000, 100.0, np.random.default_rng(2)), 100.0)
    inside = (body.times_s > 5) & (body.times_s < 295)
    width = round(6 * RATE_HZ)
    true_hz = np.convolve(body.heart_rate_hz, np.ones(width) / width, mode="same")
    np.testing.assert_allclose(heart_rate(beats_s, body.times_s[inside]), true_hz[inside], atol=0.03)


def test_heads_move_less_than_scrubbing_allows_most_of_the_time(runs):
    moved_mm = framewise_displacement(runs["coupled"].motion)
    assert 0.02 < np.median(moved_mm) < 0.25
    assert (moved_mm > 0.5).mean() < 0.05
