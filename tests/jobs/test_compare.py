"""`python jobs/compare.py`: variants of an experiment in one table."""

import csv
import re
import subprocess
import sys
import time
from pathlib import Path

import nibabel
import numpy as np
import psutil
import pytest
import yaml
from mlflow import MlflowClient

from crossmodal.config import UserError, overridden
from crossmodal.config.comparison import load_comparison
from crossmodal.datasets.manifest import Manifest, load_latest, publish, shard_uri
from crossmodal.datasets.shard import write_shard
from crossmodal.models.checking import checked
from crossmodal.physics.cohort_settings import settings_path, write_settings
from crossmodal.training.compared_variants import plan_comparison
from tests.crossmodal.datasets.test_volumes import GRID as IMAGE
from tests.crossmodal.datasets.test_volumes import make_volumes
from tests.crossmodal.tasks.volumes.test_evaluator import REGIONS, null_experiment, null_recording
from tests.jobs.conftest import ROOT, run
from tests.jobs.test_compare_splits import publish_sessions, small_experiment

GRID = "grid.nii.gz"
VARIANTS = {"whole": {}, "short": {"data": {"windows": {"length_s": 2}}}, "one teacher": {"split": {"training_subjects": 1}}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("variants")
    experiment = small_experiment(folder)
    publish_sessions(experiment, [("01", "a"), ("02", "a"), ("03", "a"), ("04", "a")])
    on_grid = overridden(experiment, {"preprocessing.bold.grid": GRID})
    publish(load_latest(experiment.store, experiment.dataset_recipe), experiment.store, on_grid.dataset_recipe)
    (folder / "small.yaml").write_text(yaml.safe_dump(experiment.model_dump(mode="json")))
    return folder


def comparison(folder, variants, **settings):
    path = folder / "comparison.yaml"
    path.write_text(yaml.safe_dump({"name": "lengths", "experiment": "small.yaml", "variants": variants, **settings}, sort_keys=False))
    return path


def test_each_variant_is_a_run_of_its_own(folder):
    plan = plan_comparison(*load_comparison(comparison(folder, VARIANTS)))
    assert len({of_variant.run for of_variant in plan.plans.values()}) == 3
    teachers = {label: [part.subject for part in of_variant.folds[0].train] for label, of_variant in plan.plans.items()}
    assert teachers == {"whole": ["03", "04"], "short": ["03", "04"], "one teacher": ["03"]}


def test_what_no_variant_changes_names_runs_as_before(folder):
    (first, _, third) = plan_comparison(*load_comparison(comparison(folder, VARIANTS))).plans.values()
    assert "training_subjects" not in first.experiment.split.model_dump(mode="json")
    assert third.experiment.split.model_dump(mode="json")["training_subjects"] == 1


@pytest.mark.parametrize(
    ("variants", "settings", "sentence"),
    [
        ({"a": {}, "b": {"note": "the same"}}, {}, "variants 'a' and 'b' are the same training"),
        ({"a": {}, "b": {"split": {"kind": "leaky_windows"}}}, {}, "jobs/compare_splits.py compares these"),
        ({"a": {}, "b": {"preprocessing": {"bold": {"grid": GRID}}, "seed": 1}}, {}, "variants 'a' and 'b' have different targets"),
        (
            {"a": {}, "b": {"split": {"training_subjects": 3}}},
            {},
            "variant 'b': split.training_subjects: 3 are more than the 2 who are left",
        ),
        (
            {"a": {}, "b": {"evaluation": {"baselines": [{"kind": "training_mean"}]}, "seed": 1}},
            {"primary": "b"},
            "primary: variant 'b' is compared with lagged ridge, which is not in its evaluation.baselines (training mean)",
        ),
    ],
)
def test_what_cannot_stand_in_one_table_is_refused_before_anything_is_trained(folder, variants, settings, sentence):
    with pytest.raises(UserError, match=re.escape(sentence)):
        plan_comparison(*load_comparison(comparison(folder, variants, **settings)))


def start_and_kill(path, *arguments, when):
    """Run the job until its log says what is waited for, then kill it and all that it started."""
    command = [sys.executable, str(ROOT / "jobs/compare.py"), str(path), *arguments]
    log = path.parent / "log"
    with log.open("wb") as text, subprocess.Popen(command, cwd=path.parent, stdout=text, stderr=text) as job:
        while job.poll() is None and when not in log.read_text():
            time.sleep(0.1)
        assert job.poll() is None, log.read_text()
        children = psutil.Process(job.pid).children(recursive=True)
        job.kill()
    for child in psutil.wait_procs(children, timeout=20)[1]:
        child.kill()


@pytest.mark.slow
def test_a_killed_comparison_goes_on_and_the_same_command_trains_nothing_again(folder):
    path = comparison(folder, VARIANTS, primary="whole")
    start_and_kill(path, "split.held_out=['01', '02']", when="short: 2 of 2 folds to train")
    done = run("compare", path, "split.held_out=['01', '02']", cwd=folder)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "whole: 0 of 2 folds to train" in done.stderr
    assert "one teacher: 2 of 2 folds to train" in done.stderr
    assert "Declared comparison, BOLD targets: whole minus lagged ridge" in " ".join(done.stdout.split())
    (written,) = folder.glob("store/scores/lengths-*/**/scores.csv")
    with written.open(newline="") as file:
        rows = {row["predictor"]: float(row["r"]) for row in csv.DictReader(file)}
    network, ridge = "band power network", "lagged ridge on band power"
    assert {f"{label}: {network}" for label in VARIANTS} <= rows.keys()
    # A shorter window and fewer teachers make another ridge.
    assert {f"{label}: {ridge}" for label in VARIANTS} <= rows.keys()
    assert (written.parent / "variants.png").stat().st_size > 10_000
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    (logged,) = client.search_runs([client.get_experiment_by_name("tests").experiment_id], "tags.level = 'comparison'")
    assert logged.data.metrics[f"test/bold/short: {network}/r"] == pytest.approx(rows[f"short: {network}"])
    again = run("compare", path, "split.held_out=['01', '02']", cwd=folder)
    assert again.returncode == 0, again.stderr
    for label in VARIANTS:
        assert f"{label}: 0 of 2 folds to train" in again.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "jobs/comparisons").glob("*.yaml")), ids=lambda path: path.stem)
def test_comparisons_of_the_project_can_be_read(path):
    comparison, experiments = load_comparison(path, check=checked)
    assert comparison.note
    assert len({experiment.store for experiment in experiments.values()}) == 1


@pytest.mark.slow
def test_a_variant_that_leaks_is_named_and_no_other(tmp_path):
    """In a cohort with nothing to learn, all electrodes record the volume that the scanner takes next; one of two networks copies them."""
    atlas, labels, root = tmp_path / "atlas.nii.gz", tmp_path / "labels.tsv", tmp_path / "cohort"
    numbers = np.zeros(IMAGE, dtype=np.int16)
    numbers.flat[: len(REGIONS)] = np.arange(1, len(REGIONS) + 1)
    nibabel.save(nibabel.Nifti1Image(numbers, make_volumes().affine), atlas)
    labels.write_text("index\tname\n" + "".join(f"{number}\t{name}\n" for number, name in enumerate(REGIONS, 1)))
    regions = {"kind": "regions", "atlas": str(atlas), "labels": str(labels)}
    experiment = overridden(null_experiment(tmp_path), {"preprocessing.bold.targets": regions})
    settings_path(root).parent.mkdir(parents=True)
    write_settings(root, experiment.simulation)
    shards = [shard_uri(experiment.store, number) for number in ("01", "02", "03")]
    entries = [write_shard(null_recording(place[-2:], leaks=True), Path(place)) for place in shards]
    publish(Manifest.of(entries, "test"), experiment.store, experiment.dataset_recipe)
    settings = experiment.model_dump(mode="json") | {"tracking": {"uri": f"sqlite:///{tmp_path}/mlflow.db", "experiment": "tests"}}
    settings |= {"node_cache": {"root": str(tmp_path / "cache")}, "training": {"epochs": 1, "workers": 1, "learning_rate": 1e-6}}
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(settings))
    path = comparison(tmp_path, {"copies": {"model": {"kind": "tests.crossmodal.tasks.volumes.last_sample.LastSample"}}, "reads power": {}})
    done = run("compare", path, cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "Variant copies: LEAK: last sample, BOLD targets, explains more than can be known of" in " ".join(done.stdout.split())
    assert "Variant reads power" not in done.stdout
    (written,) = tmp_path.glob("store/scores/lengths-*/**/table.md")
    assert "Variant copies: LEAK: last sample" in written.read_text()
