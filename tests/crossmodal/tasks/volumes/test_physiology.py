"""Partial correlation given physiology: the closed form, what it must leave and what it must not."""

import numpy as np
import pytest
from scipy import stats

from crossmodal.config.bold import Bold, RegionTargets
from crossmodal.config.eeg_fmri import BidsFmriRecordings
from crossmodal.config.preprocessing import Preprocessing
from crossmodal.config.simulation import EegFmriSimulation
from crossmodal.datasets.shard import Shard, write_shard
from crossmodal.tasks.volumes.physiology import partial_r, regressors, with_global_signal
from preprocessing.readers.reading import list_recordings
from preprocessing.recording import preprocess_recording
from preprocessing.simulated.cohort import simulate_cohort


def correlated(x_vs, y_vs):
    return np.array([np.corrcoef(x, y)[0, 1] for x, y in zip(x_vs.T, y_vs.T, strict=True)])


@pytest.mark.parametrize("seed", range(3))
def test_one_regressor_gives_the_textbook_formula(seed):
    rng = np.random.default_rng(seed)
    truth_vs, predicted_vs, z_v1 = rng.standard_normal((50, 4)) + 7, rng.standard_normal((50, 4)), rng.standard_normal((50, 1))
    truth_vs, predicted_vs = truth_vs + z_v1, predicted_vs - 2 * z_v1
    r_xy, r_xz, r_yz = (
        correlated(truth_vs, predicted_vs),
        correlated(truth_vs, z_v1.repeat(4, 1)),
        correlated(predicted_vs, z_v1.repeat(4, 1)),
    )
    expected = (r_xy - r_xz * r_yz) / np.sqrt((1 - r_xz**2) * (1 - r_yz**2))
    np.testing.assert_allclose(partial_r(truth_vs, predicted_vs, z_v1), expected, atol=1e-12)
    # Neither its unit, nor its mean, nor a copy of it, nor a constant tells more.
    again_vk = np.column_stack([1e-9 * z_v1 + 3, -z_v1, np.full(50, 2.0)])
    np.testing.assert_allclose(partial_r(truth_vs, predicted_vs, again_vk), expected, atol=1e-6)


def test_where_physiology_alone_drives_both_nothing_is_left_and_where_it_does_not_all_is():
    rng = np.random.default_rng(0)
    scans = []
    for _ in range(30):
        body_vk, brain_vs = rng.standard_normal((200, 3)), rng.standard_normal((200, 1))
        shared_vs = body_vk @ [[1.0], [1.0], [-1.0]]
        noise_vs, noise_too_vs = rng.standard_normal((2, 200, 1))
        confounded = shared_vs + noise_vs, shared_vs + noise_too_vs
        coupled = brain_vs + shared_vs + noise_vs, brain_vs + noise_too_vs
        scans.append([float(each[0]) for pair in (confounded, coupled) for each in (correlated(*pair), partial_r(*pair, body_vk))])
    confounded_r, confounded_partial, coupled_r, coupled_partial = np.transpose(scans)
    assert confounded_r.mean() > 0.7
    low, high = stats.t.interval(0.95, 29, confounded_partial.mean(), stats.sem(confounded_partial))
    assert low < 0 < high
    assert high < 0.05
    # The correlation of what is left: one half of both variances is the brain's.
    assert coupled_partial.mean() == pytest.approx(0.5, abs=0.03)
    assert coupled_partial.mean() > coupled_r.mean()


def test_where_regressors_leave_nothing_there_is_no_correlation():
    rng = np.random.default_rng(0)
    truth_vs, predicted_vs = rng.standard_normal((2, 20, 2))
    predicted_vs[:, 1] = 0.3
    assert np.isnan(partial_r(truth_vs, predicted_vs, truth_vs[:, :1])).tolist() == [True, True]
    assert np.isnan(partial_r(truth_vs, predicted_vs, rng.standard_normal((20, 25)))).all()
    # The global signal of one target is that target.
    alone_vs = truth_vs[:, :1]
    assert np.isnan(partial_r(alone_vs, predicted_vs[:, :1], with_global_signal(rng.standard_normal((20, 2)), alone_vs))).all()


def test_the_global_signal_takes_out_what_targets_share():
    rng = np.random.default_rng(0)
    shared_v1, own_vs = rng.standard_normal((400, 1)), rng.standard_normal((400, 8))
    truth_vs, predicted_vs = 3 * shared_v1 + own_vs, shared_v1 + 0.1 * rng.standard_normal((400, 8))
    nothing_vk = np.zeros((400, 0))
    assert partial_r(truth_vs, predicted_vs, nothing_vk).mean() > 0.8
    assert abs(partial_r(truth_vs, predicted_vs, with_global_signal(nothing_vk, truth_vs)).mean()) < 0.1


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """The same confounded recording with all that is recorded of the body, and with nothing of it; what the body did to BOLD."""
    folder = tmp_path_factory.mktemp("confounded")
    root = folder / "cohort"
    simulation = EegFmriSimulation(
        root=str(root), cohort="confounded", subjects=1, n_volumes=60, sfreq=100, n_dipoles=60, regions=3, voxel_mm=16, lead_in_s=(20, 25)
    )
    simulate_cohort(simulation, lambda label: None)
    truth = root / "derivatives/truth"
    preprocessing = Preprocessing(
        modalities=("eeg", "bold"), sfreq=50, lowpass_hz=20, bold=Bold(targets=RegionTargets(atlas=str(truth / "atlas.nii.gz")))
    )

    def make(name, **settings):
        recordings = BidsFmriRecordings(root=str(root), transforms=str(truth / "sub-{subject}/sub-{subject}_to-template.txt"), **settings)
        (entry,) = list_recordings(recordings)
        return Shard.open(folder / write_shard(preprocess_recording(entry, recordings, preprocessing, folder), folder / name).uri)

    motion = str(root / "derivatives/motion/sub-{subject}/sub-{subject}_run-{run}_motion.tsv")
    recorded = make("recorded", motion=motion)
    alone = make("alone", channel_types={"ECG": "misc", "Resp": "misc"})
    return recorded, alone, np.load(truth / "sub-01/sub-01_task-rest_run-01_truth.npz")["confounds"]


def test_heart_breath_and_motion_of_a_shard_explain_what_they_did_to_bold(shards):
    recorded, _, confounds_sv = shards
    found = regressors(recorded)
    assert found.values_vk.shape == (60, 22) == (len(recorded.volumes.onset_s), len(found.names))
    np.testing.assert_allclose(found.values_vk.std(axis=0), 1)
    # Even at the last: before the EEG nothing is recorded.
    for name, least in (("heart rate, +0 s", 0.2), ("respiration, +0 s", 0.2)):
        assert correlated(found.values_vk[15:, [found.names.index(name)]], confounds_sv.mean(axis=0)[15:, None])[0] > least
    design = np.column_stack([np.ones(60), found.values_vk])
    fitted = design @ np.linalg.lstsq(design, confounds_sv.T, rcond=None)[0]
    assert 1 - ((confounds_sv.T - fitted) ** 2).sum() / confounds_sv.T.var(axis=0).sum() / 60 > 0.95


def test_what_is_not_recorded_is_no_regressor(shards):
    _, alone, _ = shards
    assert alone.volumes.motion is None
    assert regressors(alone) is None
