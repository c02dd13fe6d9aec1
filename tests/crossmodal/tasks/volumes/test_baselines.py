"""Baselines beside the EEG: what moves BOLD is told by its own row, and by no other."""

from dataclasses import replace

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
from tests.crossmodal.datasets.conftest import SFREQ, make_recording
from tests.crossmodal.datasets.test_volumes import make_volumes

REGIONS = ("a", "b", "c")
N_VOLUMES = 100


class LogPower(Model):
    """A network that takes the power of the first electrode for what the second region does."""

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        return x_bct[:, :1].var(dim=2, keepdim=True).log() * torch.tensor([[0.0], [1.0], [0.0]])


def recorded(subject: str):
    """The head's movement drives the first region, the power of an electrode, which is louder in each subject, the second one."""
    rng = np.random.default_rng(int(subject))
    volumes = make_volumes(N_VOLUMES, names=REGIONS, seed=int(subject))
    recording = make_recording(subject, n_samples=round((volumes.onset_s[-1] + volumes.tr_s) * SFREQ))
    motion, log_power_v = rng.standard_normal((N_VOLUMES, 6)), np.repeat(rng.standard_normal(N_VOLUMES // 5), 5)
    volumes.data_vs[:, 0] += 3 * motion[:, 0]
    volumes.data_vs[:, 1] += 3 * log_power_v
    eeg_tc = recording.signals["eeg"].data_tc
    eeg_tc[:, 0] -= eeg_tc[:, 0].mean()
    eeg_tc[:, 0] *= int(subject) * np.exp(np.interp(np.arange(len(eeg_tc)) / SFREQ, volumes.onset_s, log_power_v))
    return replace(recording, volumes=replace(volumes, motion=motion))


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """Scores of a subject by predictor."""
    folder = tmp_path_factory.mktemp("baselines")
    ridges = [{"kind": f"{name}_band_power_ridge"} for name in ("lagged", "calibrated")]
    experiment = Experiment.model_validate(
        {
            "name": "baselines",
            "recordings": {"kind": "bids_fmri", "root": str(folder)},
            "preprocessing": {"modalities": ["eeg", "bold"], "bold": {"targets": {"kind": "regions", "atlas": "atlas.nii.gz"}}},
            "data": {"target": {"modality": "bold"}, "windows": {"kind": "volumes", "length_s": 4}, "input_scaling": "zscore"},
            "split": {"kind": "leave_one_subject_out", "held_out": ["04"]},
            "model": {"kind": "band_power"},
            "evaluation": {"baselines": [*ridges, {"kind": "zero"}]},
        }
    )
    manifest = Manifest.of([write_shard(recorded(f"0{number}"), folder / f"0{number}") for number in range(1, 5)], "test")
    (fold,) = make_folds(experiment.split, manifest)
    data = open_fold(manifest, fold, experiment.data, experiment.seed, NodeCache(folder / "cache", 1 << 30))
    evaluation = VolumesEvaluator(experiment, "run").evaluate(data, LogPower(), data.normaliser)
    return {score.predictor: score for score in evaluation.scores.scores}


def test_movement_is_told_by_motion_alone_and_what_is_not_recorded_has_no_row(scores):
    assert scores["motion alone"].role == "baseline"
    # Of one region in three, nine tenths of the variance.
    assert scores["motion alone"].score == pytest.approx(0.95 / 3, abs=0.1)
    assert not {"heart rate alone", "respiration alone"} & scores.keys()


def test_the_global_signal_is_an_oracle(scores):
    assert scores["global signal alone"].role == "oracle"
    assert scores["global signal alone"].score > 0.4
    assert scores["zero"].score == 0


def test_power_is_told_by_ridges_and_whose_level_is_another_by_the_calibrated_one(scores):
    lagged, calibrated = (scores[f"{name}lagged ridge on band power"] for name in ("", "calibrated "))
    assert lagged.role == calibrated.role == "baseline"
    assert calibrated.score > 0.2
    assert calibrated.values["skill"] > lagged.values["skill"]


def test_what_a_network_hears_of_time_is_lost_with_the_phases(scores):
    assert next(score for score in scores.values() if score.role == "model").score > 0.2
    assert abs(scores["network on phase-randomised EEG"].score) < 0.15
