"""`python jobs/evaluate.py`, on models that were trained without Ray."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient

from crossmodal.config import Experiment
from crossmodal.evaluation.openings import openings
from crossmodal.evaluation.protocol import FOLDER, PROTOCOL
from crossmodal.evaluation.scores import FoldScores, scores_uri
from crossmodal.training.fold import train_fold
from crossmodal.training.plan import Plan, plan_training
from crossmodal.training.world import World
from crossmodal.tuning.locks import Lock, write_lock
from tests.crossmodal.evaluation.gaussian_cohort import gaussian_experiment, publish_cohort

JOB = Path(__file__).resolve().parents[2] / "jobs" / "evaluate.py"


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    experiment = gaussian_experiment(tmp_path_factory.mktemp("evaluated"), note="A note for the reader.")
    publish_cohort(experiment, n_subjects=3, duration_s=30.0)
    return experiment


def run(experiment: Experiment, folder: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    path = folder / "experiment.yaml"
    path.write_text(yaml.safe_dump(experiment.model_dump(mode="json")))
    return subprocess.run([sys.executable, str(JOB), str(path), *overrides], capture_output=True, text=True, cwd=folder)


def train(experiment: Experiment) -> Plan:
    plan = plan_training(experiment)
    for fold in plan.folds:
        train_fold(plan.experiment, plan.manifest, plan.run, fold, World(), lambda progress: None)
    return plan


def test_an_evaluation_leaves_table_scores_figures_and_metrics(experiment, tmp_path):
    plan = train(experiment)
    done = run(experiment, tmp_path)
    assert done.returncode == 0, done.stderr
    for shown in (
        "gaussian: EEG → MEG: magnetometers",
        "gradiometers",
        "lagged ridge 100 ms",
        "oracle",
        "A note for the reader.",
        "n = 3",
        f"Protocol version {PROTOCOL}",
    ):
        assert shown in done.stdout
    assert f"{sys.executable} -m mlflow server --backend-store-uri {experiment.tracking.uri}\n" in done.stdout
    assert "/runs?workflowType=machine_learning" in done.stdout

    scores = FoldScores.model_validate_json(Path(scores_uri(experiment.store, plan.run), "sub-02.json").read_text())
    assert {score.subject for score in scores.scores} == {"02"}
    with (Path(experiment.store) / "scores" / plan.run / FOLDER / "scores.csv").open() as file:
        rows = {(row["channel_type"], row["predictor"]): row for row in csv.DictReader(file)}
    figures = Path(experiment.store) / "figures" / plan.run / FOLDER
    drawn = {str(path.relative_to(figures)) for path in figures.rglob("*.png")}
    # No maps: the sensors of this cohort have no places.
    assert drawn == {"losses.png", "subjects.png"} | {
        f"sub-{subject}/{name}_sub-{subject}.png" for subject in ("01", "02", "03") for name in ("waveforms", "spectra")
    }

    client = MlflowClient(experiment.tracking.uri)
    runs = {found.info.run_name: found for found in client.search_runs([client.get_experiment_by_name("tests").experiment_id])}
    assert set(runs) == {plan.run, "sub-01", "sub-02", "sub-03"}
    assert {found.info.status for found in runs.values()} == {"FINISHED"}
    logged = runs[plan.run].data.metrics["test/mag/ridge/explained_variance"]
    assert logged == pytest.approx(float(rows["mag", "ridge"]["explained_variance"]))
    parent_id = runs[plan.run].info.run_id
    assert runs[plan.run].data.tags["protocol.version"] == str(PROTOCOL)
    shown = {file.path for file in client.list_artifacts(parent_id, FOLDER)}
    assert {f"{FOLDER}/{name}" for name in ("table.md", "scores.csv", "figures")} <= shown
    drawn = {file.path for file in client.list_artifacts(parent_id, f"{FOLDER}/figures")}
    assert drawn == {f"{FOLDER}/figures/losses.png", f"{FOLDER}/figures/subjects.png"}


def test_ceilings_of_another_cohort_are_refused_in_a_sentence(experiment, tmp_path):
    train(experiment)
    done = run(experiment, tmp_path, "simulation.seed=5")
    assert done.returncode == 2
    told = " ".join(done.stderr.split())
    assert (
        f"error: {experiment.recordings.root}/derivatives/truth/simulation.json: the cohort was made with another simulation.seed" in told
    )
    assert "Traceback" not in done.stderr


def test_subjects_that_a_search_keeps_for_its_test_are_counted_and_told(experiment, tmp_path):
    plan = train(experiment)
    write_lock(experiment.store, Lock(study="hunt", dataset=plan.manifest.fingerprint, subjects=("02", "03")))
    told = "LOCKED SUBJECTS SHOWN"
    quick = ("evaluation.baselines=[{kind: ridge}]", "evaluation.ceilings=false")
    done = run(experiment, tmp_path, *quick, "split.held_out=['01']")
    assert (done.returncode, told in done.stdout) == (0, False), done.stderr
    assert openings(experiment.store, plan.manifest) == ()
    done = run(experiment, tmp_path, *quick)
    assert done.returncode == 0, done.stderr
    assert f"{told}: 02, 03, which the search 'hunt' keeps for the test" in " ".join(done.stdout.split())
    (opening,) = openings(experiment.store, plan.manifest)
    assert (opening.run, opening.subjects) == (plan.run, ("02", "03"))
