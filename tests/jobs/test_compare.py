"""`python jobs/compare.py`: variants of an experiment in one table."""

import csv
import re

import pytest
import yaml
from mlflow import MlflowClient

from crossmodal.config import UserError
from crossmodal.config.comparison import load_comparison
from crossmodal.models.checking import checked
from crossmodal.training.compared_variants import plan_comparison
from tests.jobs.conftest import ROOT, run
from tests.jobs.test_compare_splits import publish_sessions, small_experiment

VARIANTS = {"whole": {}, "short": {"data": {"windows": {"length_s": 2}}}, "one teacher": {"split": {"training_subjects": 1}}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("variants")
    experiment = small_experiment(folder)
    publish_sessions(experiment, [("01", "a"), ("02", "a"), ("03", "a"), ("04", "a")])
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


@pytest.mark.slow
def test_one_table_shows_all_and_the_same_command_trains_nothing_again(folder):
    path = comparison(folder, VARIANTS, primary="whole")
    done = run("compare", path, "split.held_out=['01', '02']", cwd=folder)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
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
