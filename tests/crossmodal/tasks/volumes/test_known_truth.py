"""Scores of a simulated cohort with sessions: regions that EEG shows are told apart from others, beside ceiling and oracle."""

import numpy as np
import pytest
import torch

from crossmodal.config import Experiment
from crossmodal.datasets.folds import make_folds
from crossmodal.datasets.manifest import Manifest
from crossmodal.datasets.opening import open_fold
from crossmodal.datasets.shard import write_shard
from crossmodal.models.base import Model
from crossmodal.storage.node_cache import NodeCache
from crossmodal.tasks.volumes.evaluator import VolumesEvaluator
from crossmodal.tasks.volumes.task import VolumesTask
from preprocessing.readers.reading import list_recordings
from preprocessing.recording import preprocess_recording
from preprocessing.simulated.cohort import simulate_cohort

TRUTH = "derivatives/truth"


class Nothing(Model):
    """A network that says the same of every window."""

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(x_bct), 4, 1)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """An experiment, and what the evaluation of one test subject gives, two sessions."""
    folder = tmp_path_factory.mktemp("known")
    root = folder / "cohort"
    experiment = Experiment.model_validate(
        {
            "name": "known",
            "simulation": {
                "kind": "eeg_fmri",
                "root": str(root),
                "subjects": 3,
                "sessions": 2,
                "n_volumes": 120,
                "sfreq": 100,
                "n_dipoles": 60,
                "regions": 4,
                "voxel_mm": 16,
                "power_time_s": 3,
                "lead_in_s": [20, 21],
                "coupling": {},
            },
            "recordings": {
                "kind": "bids_fmri",
                "root": str(root),
                "transforms": f"{root}/{TRUTH}/sub-{{subject}}/sub-{{subject}}_to-template.txt",
                "motion": f"{root}/derivatives/motion/sub-{{subject}}/{{name}}_motion.tsv",
            },
            "preprocessing": {
                "modalities": ["eeg", "bold"],
                "bold": {"targets": {"kind": "regions", "atlas": f"{root}/{TRUTH}/atlas.nii.gz", "labels": f"{root}/{TRUTH}/atlas.tsv"}},
            },
            "data": {"target": {"modality": "bold"}, "windows": {"kind": "volumes", "length_s": 20}, "input_scaling": "zscore"},
            "split": {"kind": "leave_one_subject_out", "held_out": ["02"]},
            "model": {"kind": "band_power"},
            "evaluation": {
                "baselines": [],
                "own_ridge": {
                    "kind": "lagged_band_power_ridge",
                    "bands_hz": {"alpha": [8, 13], "beta": [13, 30], "gamma": [30, 40]},
                    "bin_s": 4,
                },
            },
        }
    )
    simulate_cohort(experiment.simulation, lambda label: None)
    entries = []
    # One session of training subjects is enough.
    wanted = [entry for entry in list_recordings(experiment.recorded) if entry.subject == "02" or entry.session == "01"]
    for number, entry in enumerate(wanted):
        recording = preprocess_recording(entry, experiment.recorded, experiment.preprocessing, folder)
        entries.append(write_shard(recording, folder / f"shard{number}"))
    manifest = Manifest.of(entries, "test")
    assert [(entry.session, entry.run) for entry in manifest.entries[1:3]] == [("01", "ses-01_01"), ("02", "ses-02_01")]
    (fold,) = make_folds(experiment.split, manifest)
    data = open_fold(manifest, fold, experiment.data, experiment.seed, NodeCache(folder / "cache", 1 << 30))
    return experiment, VolumesEvaluator(experiment, "run").evaluate(data, Nothing(), data.normaliser)


@pytest.fixture(scope="module")
def scores(evaluated):
    """Scores by predictor."""
    return {score.predictor: score for score in evaluated[1].scores.scores}


def test_coupled_and_uncoupled_regions_are_told_apart(scores):
    ceiling = scores["true power through blood"]
    assert ceiling.values["r_coupled"] > 0.8
    assert ceiling.values["r_uncoupled"] == 0
    assert ceiling.score == pytest.approx(0.75 * ceiling.values["r_coupled"])
    assert scores["training mean"].values["r_coupled"] == scores["training mean"].values["r_uncoupled"] == 0


def test_the_ridge_on_own_scans_is_an_oracle_between_nothing_and_the_ceiling(scores):
    own = scores["own lagged ridge on band power"]
    assert own.role == "oracle"
    assert scores["true power through blood"].values["r_coupled"] > own.values["r_coupled"] > 0.2
    assert abs(own.values["r_uncoupled"]) < 0.25


def test_regions_of_the_atlas_have_a_depth_and_those_that_eeg_does_not_show_are_told(evaluated):
    experiment, evaluation = evaluated
    regions = VolumesTask().region_scores(evaluation, experiment)
    assert regions.names == tuple(f"region{number:02d}" for number in range(1, 5))
    assert ((regions.from_scalp_m > 0.005) & (regions.from_scalp_m < 0.08)).all()
    assert regions.is_shown.tolist() == [True, True, True, False]
    np.testing.assert_array_equal(regions.by_subject["02"], np.zeros(4))


def test_what_the_body_and_bold_itself_tell_are_rows_in_their_roles(scores):
    alone = {name: scores[f"{name} alone"] for name in ("heart rate", "respiration", "motion", "global signal")}
    assert [score.role for score in alone.values()] == ["baseline", "baseline", "baseline", "oracle"]
    # In this cohort BOLD follows no heartbeat, breath or movement.
    assert max(abs(alone[name].score) for name in ("heart rate", "respiration", "motion")) < 0.2
    assert alone["global signal"].score > 0.2
    assert scores["network on phase-randomised EEG"].role == "control"
