"""Targets of any kind are scored in the regions of one atlas, against what was measured there."""

import re
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from crossmodal.config import UserError, overridden
from crossmodal.datasets.folds import make_folds
from crossmodal.datasets.manifest import Manifest, publish, shard_uri
from crossmodal.datasets.opening import open_fold
from crossmodal.datasets.shard import write_shard
from crossmodal.models.base import Model
from crossmodal.physics.cohort_settings import settings_path, write_settings
from crossmodal.reporting.table import ScoreTable
from crossmodal.storage.node_cache import NodeCache
from crossmodal.tasks.choosing import task_of
from crossmodal.tasks.volumes.common_regions import region_weights
from crossmodal.tasks.volumes.evaluator import VolumesEvaluator
from tests.crossmodal.datasets.conftest import SFREQ, make_recording
from tests.crossmodal.datasets.test_volumes import GRID, make_volumes
from tests.crossmodal.tasks.volumes.test_evaluator import N_VOLUMES, null_experiment

NAMES = ("1", "2", "3")
SUBJECTS = ("01", "02", "03")
# Of regions 1, 1, 2 and 3, in the order of voxels.
REGION_OF_VOXEL = np.array([0, 0, 1, 2])


class CopiesVoxels(Model):
    """A network that takes what the first electrodes recorded last for what voxels do."""

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        return x_bct[:, : len(REGION_OF_VOXEL), -1:]


def make_atlas(folder):
    numbers = np.zeros(GRID, dtype=np.int16)
    numbers.flat[[0, 1, 5, 9]] = REGION_OF_VOXEL + 1
    path = folder / "atlas.nii.gz"
    nibabel.save(nibabel.Nifti1Image(numbers, make_volumes().affine), path)
    return path, numbers


@pytest.fixture
def cohort(tmp_path):
    """A null cohort of voxels and one of regions; in subject 02 electrodes record the voxels that the scanner takes next."""
    atlas, numbers = make_atlas(tmp_path)
    regions = {"kind": "regions", "atlas": str(atlas)}
    changes = {
        "preprocessing.bold.grid": str(atlas),
        "preprocessing.bold.targets": {"kind": "voxels", "mask": str(atlas)},
        "evaluation.regions": regions,
        "evaluation.baselines": [{"kind": "training_mean"}],
        "store": str(tmp_path / "store"),
        "node_cache.root": str(tmp_path / "cache"),
    }
    experiment, root = overridden(null_experiment(tmp_path), changes), tmp_path / "cohort"
    settings_path(root).parent.mkdir(parents=True)
    write_settings(root, experiment.simulation)

    def publish_both(measured_in_voxels=True, offset_s=0.0):
        of_voxels, of_regions = [], []
        for seed, subject in enumerate(SUBJECTS):
            voxels = replace(make_volumes(N_VOLUMES, stored=numbers > 0, seed=seed), good=np.full(N_VOLUMES, True))
            n_samples = round((voxels.onset_s[-1] + voxels.tr_s) * SFREQ)
            recording = make_recording(subject, n_samples=n_samples, seed=seed)
            if subject == "02":
                following = np.searchsorted(voxels.onset_s * SFREQ, np.arange(n_samples), side="right").clip(max=N_VOLUMES - 1)
                recording.signals["eeg"].data_tc[:, : len(REGION_OF_VOXEL)] = 1e-6 * voxels.data_vs[following]
            seen_vs = voxels.data_vs if measured_in_voxels else make_volumes(N_VOLUMES, stored=numbers > 0, seed=seed + 50).data_vs
            data_vr = np.stack([seen_vs[:, region == REGION_OF_VOXEL].mean(axis=1) for region in range(3)], axis=1)
            measured = replace(voxels, data_vs=data_vr, names=NAMES, stored=None, onset_s=voxels.onset_s + offset_s)
            of_voxels.append(write_shard(replace(recording, volumes=voxels), tmp_path / f"voxels-{subject}"))
            of_regions.append(write_shard(replace(recording, volumes=measured), Path(shard_uri(experiment.store, f"regions-{subject}"))))
        recipe = overridden(experiment, {"preprocessing.bold.targets": regions}).dataset_recipe
        publish(Manifest.of(of_regions, "test"), experiment.store, recipe)
        return experiment, Manifest.of(of_voxels, "test")

    return publish_both


def table_of(experiment, manifest):
    evaluator, cache = VolumesEvaluator(experiment, "run"), NodeCache(Path(experiment.node_cache.root), 1 << 30)
    scores = []
    for fold in make_folds(experiment.split, manifest):
        data = open_fold(manifest, fold, experiment.data, experiment.seed, cache)
        scores.append(evaluator.evaluate(data, CopiesVoxels(), data.normaliser).scores)
    return scores, ScoreTable.of(experiment, scores, task_of(experiment).scorecard(experiment))


def test_who_knows_the_voxels_knows_their_regions_and_a_leak_is_told_there_too(cohort):
    scores, table = table_of(*cohort())
    of_model = {score.subject: score for fold in scores for score in fold.scores if score.role == "model"}
    # Less than 1, since training gives each voxel a scale of its own.
    assert of_model["02"].score > 0.9
    assert of_model["02"].values["r_targets"] == pytest.approx(1, abs=1e-4)
    assert abs(of_model["01"].score) < 0.3
    assert table.leaks() == ["LEAK: band power network, BOLD targets, explains more than can be known of sub-02."]
    assert table.header("bold")[1:3] == ["r [95%]", "own r"]
    assert "mean over the regions of evaluation.regions" in " ".join(table.remarks())


def test_the_truth_is_what_was_measured_in_the_regions(cohort):
    scores, table = table_of(*cohort(measured_in_voxels=False))
    of_model = {score.subject: score for fold in scores for score in fold.scores if score.role == "model"}
    assert abs(of_model["02"].score) < 0.3
    assert of_model["02"].values["r_targets"] == pytest.approx(1, abs=1e-4)
    assert table.leaks() == []


def test_other_volumes_in_the_dataset_of_regions_are_refused(cohort):
    with pytest.raises(UserError, match=re.escape("evaluation.regions: sub-01 run 01 has other volumes in the dataset of these regions")):
        table_of(*cohort(offset_s=2.0))


def test_without_a_dataset_of_the_regions_it_is_asked_for(cohort):
    experiment, _ = cohort()
    missing = overridden(experiment, {"evaluation.regions.labels": "names.tsv"})
    with pytest.raises(UserError, match=r"evaluation\.regions: .* run jobs/preprocess\.py first, with preprocessing\.bold\.targets as"):
        VolumesEvaluator(missing, "run")


def test_images_without_a_common_grid_are_refused(cohort):
    experiment, _ = cohort()
    with pytest.raises(UserError, match=r"evaluation\.regions: .* set preprocessing\.bold\.grid"):
        task_of(experiment).check(overridden(experiment, {"preprocessing.bold.grid": None}))


def test_scores_of_other_targets_are_comparable_in_common_regions_alone(cohort):
    experiment, _ = cohort()
    others = overridden(experiment, {"preprocessing.bold.targets": {"kind": "spheres", "coordinates": "power_264"}})
    task = task_of(experiment)
    assert task.scored_in(experiment) == task.scored_in(others)
    alone = [overridden(each, {"evaluation.regions": None}) for each in (experiment, others)]
    assert len({task.scored_in(each) for each in (experiment, *alone)}) == 3


def test_regions_average_voxels_spheres_and_the_sum_of_maps():
    regions = np.array([1, 1, 1, 2, 2, 0]).reshape(1, 2, 3)
    # The third voxel of the first region is no target; target 2 reaches into both; the last one lies outside.
    numbered = np.array([1, 2, 0, 2, 2, 3]).reshape(1, 2, 3)
    np.testing.assert_allclose(region_weights(numbered, regions, 3), [[0.5, 0], [0.5, 1], [0, 0]])
    maps = np.zeros((1, 2, 3, 2), dtype=np.float32)
    maps[0, 0, :, 0], maps[0, 1, :2, 1] = [1, 0.5, 0], [0.25, 0.75]
    np.testing.assert_allclose(region_weights(maps, regions, 2), [[0.5, 0], [0, 0.5]])
