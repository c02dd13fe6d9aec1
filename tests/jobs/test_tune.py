"""jobs/tune.py on a Ray of its own: killed and run again, with several objectives, several workers, and when nothing is found."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import optuna
import psutil
import pytest
import yaml
from mlflow import MlflowClient
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from crossmodal.config import Experiment, load_experiment
from crossmodal.datasets.manifest import load_latest
from crossmodal.evaluation.openings import openings
from crossmodal.tuning.study import StudyFile
from tests.crossmodal.training.cohort import has_checkpoint, publish_cohort, small_experiment

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SPACE = "tests.crossmodal.tuning.small_space"
TIMEOUT_S = 500


def prepare(root: Path, store: str | None = None, epochs: int = 2, workers: int = 1, **tuning: object) -> Path:
    """A cohort of five subjects, and the experiment that searches on it."""
    experiment = small_experiment(root, store, epochs=epochs, workers=workers)
    publish_cohort(experiment)
    settings = experiment.model_dump(mode="json", exclude_unset=True)
    settings["tuning"] = {"space": SPACE, "folds": 2, **tuning}
    settings["evaluation"] = {"baselines": [{"kind": "ridge"}]}
    path = root / "small.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


@contextlib.contextmanager
def running(path: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run jobs/tune.py; whatever happens, it does not outlive the test."""
    command = [sys.executable, "jobs/tune.py", str(path), *arguments]
    with open(path.parent / "log", "ab") as log, subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log) as job:
        try:
            yield job
        finally:
            job.kill()


def finish(path: Path, *arguments: str, code: int = 0) -> str:
    with running(path, *arguments) as job:
        assert job.wait(timeout=TIMEOUT_S) == code, (path.parent / "log").read_text()
    return (path.parent / "log").read_text()


def kill(job: subprocess.Popen[bytes]) -> None:
    """Kill the driver, and what does not follow it: most of Ray's own do, but an agent that started late does not notice."""
    processes = psutil.Process(job.pid).children(recursive=True)
    job.kill()
    for process in psutil.wait_procs(processes, timeout=20)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def trial_processes(job: subprocess.Popen[bytes]) -> set[int]:
    """Wait until the job ends, and name the processes that its trials trained in."""
    seen = set()
    while job.poll() is None:
        with contextlib.suppress(psutil.Error):
            children = psutil.Process(job.pid).children(recursive=True)
            seen |= {child.pid for child in children if "ImplicitFunc" in "".join(child.cmdline())}
        time.sleep(0.1)
    return seen


def study_of(experiment: Experiment) -> optuna.Study:
    """Look at a study from beside, without creating what is not there yet."""
    storage = RDBStorage(StudyFile.of(experiment).url, skip_compatibility_check=True, skip_table_creation=True)
    return optuna.load_study(study_name="small", storage=storage)


def wait_until(job: subprocess.Popen[bytes], path: Path, holds: Callable[[], bool]) -> None:
    """Wait for something that happens while a job runs."""
    while not holds():
        assert job.poll() is None, (path.parent / "log").read_text()
        time.sleep(0.1)


def check(path: Path, n_trials: int) -> list[optuna.trial.FrozenTrial]:
    """Study and MLflow agree: each trial once, none left running, each epoch once."""
    experiment = load_experiment(path)
    trials = study_of(experiment).get_trials()
    assert [trial.number for trial in trials] == list(range(n_trials))
    status = {TrialState.COMPLETE: "FINISHED", TrialState.PRUNED: "KILLED", TrialState.FAIL: "FAILED"}
    client = MlflowClient(experiment.tracking.uri)
    runs = client.search_runs([client.get_experiment_by_name("tests").experiment_id], max_results=1000)
    by_level = {level: [run for run in runs if run.data.tags.get("level") == level] for level in ("sweep", "trial", "fold", "winner")}
    assert len(by_level["sweep"]) == 1
    found = {int(run.data.tags["trial"]): run.info.status for run in by_level["trial"]}
    assert len(by_level["trial"]) == n_trials
    assert found == {trial.number: status[trial.state] for trial in trials}
    assert not [run for run in runs if run.info.status == "RUNNING"]
    assert {run.data.tags["mlflow.parentRunId"] for run in by_level["trial"]} == {by_level["sweep"][0].info.run_id}
    for run in by_level["fold"]:
        steps = [metric.step for metric in client.get_metric_history(run.info.run_id, "validation_loss")]
        assert steps == list(range(len(steps)))
    assert len({(run.data.tags["crossmodal.run"], run.data.tags["crossmodal.fold"]) for run in runs}) == len(runs)
    return trials


@pytest.mark.parametrize("place", ["local", "s3", "postgresql"])
def test_a_killed_search_goes_on_and_leaves_nothing_twice(tmp_path, place, request):
    store = f"{request.getfixturevalue('s3')}/{tmp_path.name}" if place == "s3" else None
    storage = request.getfixturevalue("postgresql") if place == "postgresql" else None
    # A trial that is pruned at once could be gone before anyone looks.
    path = prepare(tmp_path, store, epochs=12, storage=storage, parallel_trials=2 if storage else 1, halving={"grace_epochs": 9})
    for number in (0, 2):
        with running(path, "--trials", "4") as job:
            wait_until(job, path, lambda number=number: has_checkpoint(load_experiment(path).store, f"small-{number:04d}-"))
            kill(job)
        assert study_of(load_experiment(path)).trials[number].state == TrialState.RUNNING
        if place == "s3":
            shutil.rmtree(tmp_path / "cache", ignore_errors=True)  # the head node is gone, with all it had
    printed = finish(path, "--trials", "4")
    trials = check(path, 4)
    assert all(trial.state in (TrialState.COMPLETE, TrialState.PRUNED) for trial in trials)
    assert "registered as small version 1" in printed
    client = MlflowClient(load_experiment(path).tracking.uri)
    (version,) = client.search_model_versions("name = 'small'")
    assert version.tags["sweep"] == "small"
    sweep = client.search_runs([client.get_experiment_by_name("tests").experiment_id], "tags.level = 'sweep'")[0]
    assert sweep.data.metrics["core_hours"] > 0
    if place == "postgresql":
        password = os.environ["PGPASSWORD"].encode()
        assert not [found for found in tmp_path.rglob("*") if found.is_file() and password in found.read_bytes()]


def test_a_search_killed_after_its_last_trial_ends_as_one_that_was_not(tmp_path):
    paths = {name: prepare(tmp_path / name, epochs=12) for name in ("killed", "undisturbed")}
    path = paths["killed"]
    experiment = load_experiment(path)
    manifest = load_latest(experiment.store, experiment.dataset_recipe)
    moments = {
        "it refits the winner": lambda: has_checkpoint(experiment.store, "small-winner-"),
        "it has opened the test subjects": lambda: bool(openings(experiment.store, manifest)),
    }
    for moment in moments.values():
        with running(path, "--trials", "1") as job:
            wait_until(job, path, moment)
            kill(job)
        assert not MlflowClient(experiment.tracking.uri).search_registered_models()
    tables = {name: finish(found, "--trials", "1").split("development subjects")[-1].split("cost:")[0] for name, found in paths.items()}
    assert tables["killed"] == tables["undisturbed"]
    check(path, 1)
    assert len(openings(experiment.store, manifest)) == 1
    (version,) = MlflowClient(experiment.tracking.uri).search_model_versions("name = 'small'")
    assert int(version.version) == 1


def test_a_search_without_a_finished_trial_registers_nothing(tmp_path):
    path = prepare(tmp_path, space="tests.crossmodal.tuning.diverging_space")
    printed = finish(path, "--trials", "2", code=2)
    assert "error: study 'small': none of its 2 trials was finished" in printed
    assert "2 failed, the first because: the loss was no longer finite" in printed
    assert "Traceback" not in printed
    check(path, 2)
    assert not MlflowClient(load_experiment(path).tracking.uri).search_registered_models()


def test_several_objectives_give_a_front_from_one_process_and_a_second_command_nothing_new(tmp_path):
    path = prepare(tmp_path, objectives=["score", "parameters"], sampler="random")
    with running(path, "--trials", "4") as job:
        assert len(trial_processes(job)) == 1
    assert job.returncode == 0, (tmp_path / "log").read_text()
    trials = check(path, 4)
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    front = study_of(load_experiment(path)).best_trials
    assert front
    assert all(trial.values[1] == int(trial.values[1]) for trial in trials)
    client = MlflowClient(load_experiment(path).tracking.uri)
    (sweep,) = client.search_runs([client.get_experiment_by_name("tests").experiment_id], "tags.level = 'sweep'")
    drawn = {found.path for found in client.list_artifacts(sweep.info.run_id, "figures")}
    names = ("history", "importance", "parallel_coordinates", "pareto_front")
    assert drawn == {f"figures/{name}.{form}" for name in names for form in ("png", "html")}
    assert sweep.data.tags["winner"] == str(max(trials, key=lambda trial: trial.values[0]).number)

    finish(path, "--trials", "4")
    assert check(path, 4) == trials
    assert "is a search with other objectives; choose another name" in finish(path, "tuning.objectives=[score]", code=2)
    assert "is a search with other settings of data, model or training" in finish(path, "data.windows.hop_s=1.28", code=2)
    assert check(path, 4) == trials
    assert len(client.search_model_versions("name = 'small'")) == 1


def test_trials_of_several_workers_are_pruned_beside_another_ray(tmp_path):
    """What a pruned trial's trainer held is given back, although its clearing up can find two Rays on this machine."""
    path = prepare(tmp_path, workers=2, epochs=3)
    another = "import ray; ray.init(address='local', num_cpus=1, include_dashboard=False); input()"
    with subprocess.Popen([sys.executable, "-c", another], stdin=subprocess.PIPE):  # ends with its input
        finish(path, "--trials", "3")
    trials = check(path, 3)
    assert [trial.state for trial in trials[:2]] == [TrialState.COMPLETE, TrialState.PRUNED]
