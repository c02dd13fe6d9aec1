"""jobs/train.py on a Ray of its own, disturbed in every way: it ends with the bits of an undisturbed run (two workers, CPU)."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path

import psutil
import pytest
import yaml

from crossmodal.config import Experiment
from crossmodal.tracking.runs import Tracker
from crossmodal.training.plan import plan_training
from crossmodal.training.runs import checkpoints_uri
from tests.crossmodal.training.scans import COHORTS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

ROOT = Path(__file__).resolve().parents[3]
EPOCHS = 40
TIMEOUT_S = 500


def prepare(root: Path, cohort: str = "sensors") -> Experiment:
    """One fold of a small cohort, with its YAML."""
    make_experiment, publish = COHORTS[cohort]
    experiment = make_experiment(root, workers=2, epochs=EPOCHS)
    experiment = experiment.model_copy(update={"split": experiment.split.model_copy(update={"held_out": ("1",)})})
    publish(experiment)
    (root / "small.yaml").write_text(
        yaml.safe_dump(experiment.model_dump(mode="json", exclude_unset=True) | {"split": {"held_out": ["1"]}})
    )
    return experiment


@contextlib.contextmanager
def running(root: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run jobs/train.py; whatever happens, it does not outlive the test."""
    command = [sys.executable, "jobs/train.py", str(root / "small.yaml")]
    heeding_interrupts = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a shell's background jobs ignore them, and so would ours
    with (
        open(root / "log", "ab") as log,
        subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, preexec_fn=heeding_interrupts) as job,
    ):
        try:
            yield job
        finally:
            job.kill()


def finish(root: Path) -> None:
    with running(root) as job:
        assert job.wait(timeout=TIMEOUT_S) == 0, (root / "log").read_text()


def wait_for_epoch(experiment: Experiment, epoch: int) -> None:
    """Wait until a checkpoint of that epoch is there, that is, the next epoch runs."""
    place = Path(checkpoints_uri(experiment.store, plan_training(experiment).run, "sub-1"))
    for _ in range(TIMEOUT_S * 20):
        if any(int(found.name.rpartition("-")[2]) >= epoch for found in place.glob("epochs-*")):
            return
        time.sleep(0.05)
    raise TimeoutError("training did not get that far")


def result(experiment: Experiment) -> list[dict[str, float]]:
    """All that is decided by the numbers, not by the clock."""
    history = plan_training(experiment).finished["sub-1"].history
    assert len(history) == EPOCHS
    return [metrics.model_dump(exclude={"seconds", "windows_per_s"}) for metrics in history]


def weights(experiment: Experiment) -> bytes:
    return next(Path(experiment.store).glob("models/*/sub-1/weights.safetensors")).read_bytes()


def check_runs(experiment: Experiment) -> None:
    """One run for the experiment and one for the fold, finished, with each epoch once."""
    with Tracker(experiment.tracking) as tracker:
        runs = tracker.client.search_runs([tracker.experiment_id])
        assert len(runs) == 2
        assert {run.info.status for run in runs} == {"FINISHED"}
        (fold,) = (run for run in runs if "mlflow.parentRunId" in run.data.tags)
        assert [metric.step for metric in tracker.client.get_metric_history(fold.info.run_id, "loss")] == list(range(EPOCHS))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Train on a cohort once."""

    @cache
    def train(cohort):
        root = tmp_path_factory.mktemp("undisturbed")
        experiment = prepare(root, cohort)
        finish(root)
        return result(experiment), weights(experiment)

    return train


@pytest.mark.parametrize("cohort", COHORTS)
def test_a_killed_worker(undisturbed, tmp_path, cohort):
    experiment = prepare(tmp_path, cohort)
    with running(tmp_path) as job:
        wait_for_epoch(experiment, 3)
        workers = [
            process
            for process in psutil.Process(job.pid).children(recursive=True)
            if "RayTrainWorker" in process.name() + "".join(process.cmdline())
        ]
        assert len(workers) == 2
        workers[-1].kill()
        assert job.wait(timeout=TIMEOUT_S) == 0, (tmp_path / "log").read_text()
    assert (result(experiment), weights(experiment)) == undisturbed(cohort)
    check_runs(experiment)


def test_a_killed_job(undisturbed, tmp_path):
    experiment = prepare(tmp_path)
    with running(tmp_path) as job:
        wait_for_epoch(experiment, 3)
        processes = psutil.Process(job.pid).children(recursive=True)
        job.kill()
    # Most of Ray's own follow the job into death; an agent that started late does not notice.
    _, alive = psutil.wait_procs(processes, timeout=30)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    assert not any("RayTrainWorker" in process.name() for process in alive)
    assert not plan_training(experiment).finished
    finish(tmp_path)
    assert (result(experiment), weights(experiment)) == undisturbed("sensors")
    check_runs(experiment)

    before = weights(experiment)
    finish(tmp_path)
    assert "1 of 1 folds are trained already" in (tmp_path / "log").read_text()
    assert weights(experiment) == before
    check_runs(experiment)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_job_says_so_in_mlflow(tmp_path, number):
    experiment = prepare(tmp_path)
    with running(tmp_path) as job:
        wait_for_epoch(experiment, 1)
        job.send_signal(number)
        assert job.wait(timeout=TIMEOUT_S) != 0
    with Tracker(experiment.tracking) as tracker:
        assert {run.info.status for run in tracker.client.search_runs([tracker.experiment_id])} == {"KILLED"}
