"""The ceiling of a simulated cohort against its closed form."""

import numpy as np
import pytest

from crossmodal.config.simulation import EegFmriSimulation
from crossmodal.tasks.volumes.ceilings import ScanTruth
from crossmodal.tasks.volumes.metrics import score_scan
from preprocessing.simulated.eeg_fmri import POWER_RATE_HZ, draw_fmri_subject, simulate_fmri_run


@pytest.fixture(scope="module", params=["coupled", "null"])
def simulated(request):
    settings = {"n_volumes": 300, "sfreq": 50, "n_dipoles": 60, "regions": 3, "voxel_mm": 16, "noise_percent": 3, "drift_percent": 0}
    simulation = EegFmriSimulation(root="cohort", cohort=request.param, **settings)
    subject = draw_fmri_subject(simulation, "01")
    return simulation, subject, simulate_fmri_run(subject, simulation, 1)


def test_the_ceiling_is_what_noise_leaves(simulated):
    simulation, subject, run = simulated
    answer_vr = ScanTruth(run.power, POWER_RATE_HZ, run.onset_s).answer()
    late = run.onset_s > 40
    sizes = np.array([np.count_nonzero(subject.anatomy.atlas == number) for number in (1, 2, 3)])
    target_vr = np.column_stack([run.image[subject.anatomy.atlas == number].mean(axis=0) for number in (1, 2, 3)])
    measured_r = score_scan(target_vr[late], answer_vr[late], np.zeros(3)).r
    signal_r, noise_r = run.response[:, late].var(axis=1), (0.01 * simulation.noise_percent) ** 2 / sizes
    if simulation.cohort == "coupled":
        np.testing.assert_allclose(measured_r, np.sqrt(signal_r / (signal_r + noise_r)), atol=0.06)
        assert (measured_r < 0.99).all()
    else:
        assert np.abs(measured_r).max() < 0.5
