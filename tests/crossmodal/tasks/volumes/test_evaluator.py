"""Scores of volumes on a cohort with nothing to learn: whoever leaks is named, and nobody else."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import norm

from crossmodal.config import Experiment, UserError, overridden
from crossmodal.config.signal_spec import SignalPair
from crossmodal.datasets.folds import make_folds
from crossmodal.datasets.manifest import Manifest
from crossmodal.datasets.normaliser import fit_normaliser
from crossmodal.datasets.opening import open_fold
from crossmodal.datasets.shard import write_shard
from crossmodal.evaluation.own_fold import check_own_fold
from crossmodal.models.intervals import Intervals
from crossmodal.models.registry import network_spec
from crossmodal.models.store import ModelCard
from crossmodal.physics.cohort_settings import settings_path, write_settings
from crossmodal.physics.places import Places
from crossmodal.reporting.table import ScoreTable
from crossmodal.storage.node_cache import NodeCache
from crossmodal.tasks.volumes.evaluator import VolumesEvaluator
from crossmodal.tasks.volumes.scorecard import VOLUMES_SCORECARD
from crossmodal.transforms.scaling import Normaliser
from tests.crossmodal.datasets.conftest import SFREQ, make_recording
from tests.crossmodal.datasets.test_volumes import GRID, make_volumes
from tests.crossmodal.tasks.volumes.last_sample import LastSample, LastSampleConfig

REGIONS = ("a", "b", "c")
N_VOLUMES, LENGTH_S = 80, 10.0


class Told(LastSample):
    """A network that is told the truth in training, and says it."""

    def teacher_forced(self, x_bct: torch.Tensor, y_bst: torch.Tensor) -> torch.Tensor:
        return y_bst


class Unsure(LastSample):
    """A network that says how far off it may be: 3 deviations of what training shows, however it is calibrated."""

    def __init__(self, config: LastSampleConfig, signals: SignalPair) -> None:
        super().__init__(config, signals)
        self.intervals = Intervals(len(REGIONS))

    def run_with_deviation(self, x_bct: torch.Tensor, places: Places | None) -> tuple[torch.Tensor, torch.Tensor]:
        predicted_bst = self(x_bct)
        return predicted_bst, torch.full_like(predicted_bst, 3.0)


def null_recording(subject: str, leaks: bool):
    """Noise in EEG and BOLD; in a subject who leaks, electrodes record the volume that the scanner takes next."""
    volumes = make_volumes(N_VOLUMES, names=REGIONS, seed=int(subject))
    n_samples = round((volumes.onset_s[-1] + volumes.tr_s) * SFREQ)
    recording = make_recording(subject, n_samples=n_samples)
    if leaks:
        following = np.searchsorted(volumes.onset_s * SFREQ, np.arange(n_samples), side="right").clip(max=N_VOLUMES - 1)
        recording.signals["eeg"].data_tc[:, : len(REGIONS)] = 1e-6 * volumes.data_vs[following]
    return replace(recording, volumes=volumes)


def null_experiment(folder: Path, teacher_forcing: str = "none") -> Experiment:
    """An experiment on a null cohort."""
    root = str(folder / "cohort")
    return Experiment.model_validate(
        {
            "name": "null",
            "store": str(folder / "store"),
            "simulation": {"kind": "eeg_fmri", "root": root, "cohort": "null"},
            "recordings": {"kind": "bids_fmri", "root": root},
            "preprocessing": {"modalities": ["eeg", "bold"], "bold": {"targets": {"kind": "regions", "atlas": "atlas.nii.gz"}}},
            "data": {"target": {"modality": "bold"}, "windows": {"kind": "volumes", "length_s": LENGTH_S}, "input_scaling": "zscore"},
            "model": {"kind": "band_power"},
            "evaluation": {"baselines": [{"kind": "lagged_band_power_ridge"}, {"kind": "vigilance"}], "teacher_forcing": teacher_forcing},
        }
    )


def evaluated(folder: Path, leaking: str, network: type[LastSample] = LastSample, teacher_forcing: str = "none") -> ScoreTable:
    """The table of a null cohort of four subjects, of whom one may leak."""
    experiment, root = null_experiment(folder, teacher_forcing), folder / "cohort"
    settings_path(root).parent.mkdir(parents=True)
    write_settings(root, experiment.simulation)
    subjects = [f"{number:02d}" for number in range(1, 5)]
    manifest = Manifest.of([write_shard(null_recording(each, each == leaking), folder / each) for each in subjects], "test")
    evaluator, cache = VolumesEvaluator(experiment, "run"), NodeCache(folder / "cache", 1 << 30)
    scores = []
    for fold in make_folds(experiment.split, manifest):
        data = open_fold(manifest, fold, experiment.data, experiment.seed, cache)
        scores.append(evaluator.evaluate(data, network(LastSampleConfig(), data.signals), data.normaliser).scores)
    return ScoreTable.of(experiment, scores, VOLUMES_SCORECARD)


@pytest.mark.parametrize(
    ("leaking", "warnings"),
    [("", []), ("03", ["LEAK: band power network, BOLD targets, explains more than can be known of sub-03."])],
)
def test_where_nothing_can_be_learned_one_subject_who_leaks_is_named(tmp_path, leaking, warnings):
    table = evaluated(tmp_path, leaking)
    assert table.warnings() == warnings
    rows = {row.predictor: row for row in table.rows}
    assert rows["band power network"].leaking == tuple(filter(None, [leaking]))
    assert rows["oracle"].means["r"] == 0
    assert not any(row.leak for name, row in rows.items() if name != "band power network")


def test_who_is_told_the_truth_is_a_void_row_that_nothing_is_compared_with(tmp_path):
    table = evaluated(tmp_path, leaking="", network=Told, teacher_forcing="void")
    (row,) = (row for row in table.rows if row.role == "void")
    assert row.means["r"] == pytest.approx(1)
    assert table.cells(row)[0] == "network told the slices before each (void)"
    assert np.isnan(row.p_above)
    assert np.isnan(row.p_rival)
    assert table.warnings() == []
    model = next(row for row in table.rows if row.role == "model")
    assert abs(model.means["r"]) < 0.2


def test_a_target_scaling_of_the_tested_scan_is_refused(tmp_path):
    experiment = null_experiment(tmp_path)
    manifest = Manifest.of([write_shard(null_recording(f"0{number}", False), tmp_path / f"0{number}") for number in range(1, 4)], "test")
    fold = make_folds(experiment.split, manifest)[0]
    data = open_fold(manifest, fold, experiment.data, experiment.seed, NodeCache(tmp_path / "cache", 1 << 30))

    def check(normaliser):
        card = ModelCard(
            run="run",
            fold=fold.name,
            network=experiment.model,
            signals=data.signals,
            data=experiment.data,
            preprocessing=experiment.preprocessing,
            recorded_names=data.recorded_names,
            normaliser=normaliser.to_plain(),
            trained_on=("02", "03"),
        )
        check_own_fold(card, "run", data, "model")

    check(data.normaliser)
    of_test = fit_normaliser(data.shards, fold, data.test.windows, experiment.data)
    with pytest.raises(UserError, match="the model's scaling is not that of the training recordings of fold sub-01 of run"):
        check(Normaliser(data.normaliser.input, of_test.target))


@torch.no_grad()
def test_voxels_that_no_scanner_reached_change_no_score(tmp_path):
    """Scores are those of a dataset that never held them."""
    settings = {"preprocessing.bold": {"targets": {"kind": "voxels"}}, "evaluation.own_ridge": {"kind": "vigilance"}}
    experiment = overridden(null_experiment(tmp_path), settings)
    reached = np.arange(math.prod(GRID)).reshape(GRID) % 7 > 0
    scores = []
    for stored in (np.ones(GRID, dtype=bool), reached):
        entries = []
        for seed, subject in enumerate(("01", "02", "03")):
            volumes = make_volumes(N_VOLUMES, seed=seed)
            volumes.data_vs[:, ~reached.ravel()] = 0.0
            volumes = replace(volumes, data_vs=volumes.data_vs[:, stored.ravel()], stored=stored, brain=reached)
            recording = make_recording(subject, n_samples=round((volumes.onset_s[-1] + volumes.tr_s) * SFREQ))
            entries.append(write_shard(replace(recording, volumes=volumes), tmp_path / f"{subject}-{stored.sum()}"))
        manifest = Manifest.of(entries, "test")
        fold = make_folds(experiment.split, manifest)[0]
        data = open_fold(manifest, fold, experiment.data, experiment.seed, NodeCache(tmp_path / "cache", 1 << 30))
        torch.manual_seed(0)
        network = network_spec(experiment.model).build(data.signals)
        scores.append(VolumesEvaluator(experiment, "run").evaluate(data, network, data.normaliser).scores)
    assert "own vigilance" in {score.predictor for score in scores[0].scores}
    assert scores[0] == scores[1]


def test_intervals_of_a_network_are_scored_beside_ones_of_constant_width(tmp_path):
    table = evaluated(tmp_path, leaking="", network=Unsure)
    rows = {row.predictor: row.means for row in table.rows}
    own = rows["band power network"]
    # Errors of what knows nothing have a deviation of 1.4; constant widths are as they were before validation subjects set them: 1.
    assert own["coverage"] == pytest.approx(norm.cdf(3 / 2**0.5) * 2 - 1, abs=0.03)
    assert own["interval_score"] < own["constant_interval_score"]
    assert all(np.isnan(rows[name][figure]) for name in rows if name != "band power network" for figure in ("coverage", "interval_score"))
    header = table.header("bold")
    assert [title for title in header if "interval" in title or "width" in title] == ["interval score %", "constant width %"]
