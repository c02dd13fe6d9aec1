"""The ceiling of a simulated cohort against its closed form."""

import numpy as np
from scipy.ndimage import gaussian_filter

from crossmodal.config.simulation import EegFmriSimulation
from crossmodal.tasks.volumes.ceilings import ScanTruth
from crossmodal.tasks.volumes.metrics import score_scan
from preprocessing.simulated.eeg_fmri import POWER_RATE_HZ, draw_fmri_subject, simulate_fmri_run

PLAIN = {"n_volumes": 300, "sfreq": 50, "n_dipoles": 60, "regions": 3, "voxel_mm": 16, "noise_percent": 3, "drift_percent": 0}
# The last region follows power that no EEG shows; noise is wide beside voxels, so that means over regions keep much of it.
RICH = {
    **PLAIN,
    "sfreq": 100,
    "regions": 4,
    "change_percent": 4,
    "coupling": {},
    "noise": {"fwhm_mm": 40, "autocorrelation_s": 1, "slow_percent": 0, "global_share": 0.1},
}


def made(settings):
    simulation = EegFmriSimulation(root="cohort", **settings)
    subject = draw_fmri_subject(simulation, "01")
    return simulation, subject, simulate_fmri_run(subject, simulation, 1)


def ceiling(subject, run):
    """Correlation of each region's mean with what the true power says, once power from before the first sample is forgotten."""
    strength = run.coupling.strength_rg * run.coupling.is_shown_r[:, None]
    answer_vr = ScanTruth(run.power, POWER_RATE_HZ, run.onset_s, strength, run.coupling.peak_s_r).answer()
    late = run.onset_s > 40
    numbers = range(1, len(strength) + 1)
    target_vr = np.column_stack([run.image[subject.anatomy.atlas == number].mean(axis=0) for number in numbers])
    return score_scan(target_vr[late], answer_vr[late], np.zeros(len(strength))).r, run.response[:, late].var(axis=1)


def test_the_ceiling_is_what_white_noise_leaves():
    simulation, subject, run = made(PLAIN)
    sizes = np.array([np.count_nonzero(subject.anatomy.atlas == number) for number in (1, 2, 3)])
    measured_r, signal_r = ceiling(subject, run)
    noise_r = (0.01 * simulation.noise_percent) ** 2 / sizes
    np.testing.assert_allclose(measured_r, np.sqrt(signal_r / (signal_r + noise_r)), atol=0.06)
    assert (measured_r < 0.99).all()


def test_the_ceiling_of_several_bands_is_what_smooth_noise_leaves_and_nothing_without_coupling():
    simulation, subject, run = made(RICH)
    measured_r, signal_r = ceiling(subject, run)
    width = simulation.noise.fwhm_mm / np.sqrt(8 * np.log(2)) / simulation.voxel_mm
    impulse = np.zeros(subject.anatomy.atlas.shape)
    impulse[0, 0, 0] = 1.0
    own_r = []
    for number in (1, 2, 3):
        inside = (subject.anatomy.atlas == number) / np.count_nonzero(subject.anatomy.atlas == number)
        smooth, point = (np.square(gaussian_filter(each, width, mode="wrap")).sum() for each in (inside, impulse))
        own_r.append(smooth / point)
    shared = simulation.noise.global_share
    noise_r = (0.01 * simulation.noise_percent) ** 2 * (shared + (1 - shared) * np.array(own_r))
    np.testing.assert_allclose(measured_r[:3], np.sqrt(signal_r[:3] / (signal_r[:3] + noise_r)), atol=0.08)
    assert (measured_r[:3] < 0.9).all()
    assert measured_r[3] == 0


def test_a_null_cohort_has_no_region_that_follows_its_power():
    _, subject, run = made({**PLAIN, "cohort": "null"})
    assert not run.coupling.is_shown_r.any()
    assert not ceiling(subject, run)[0].any()
