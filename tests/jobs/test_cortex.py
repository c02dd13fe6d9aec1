"""EEG to cortex as users run it: nothing is simulated or preprocessed before."""

import csv
from pathlib import Path

import pytest

from tests.jobs.conftest import ROOT, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
QUICK = ("cortex={subjects: 5, samples: 100}", "training.epochs=2", "split.held_out=['01']")


def test_two_workers_train_and_the_model_is_scored_and_searched_for(tmp_path):
    experiment = ROOT / "jobs/experiments/cortex.yaml"
    for job, more in (("train", ()), ("evaluate", ())):
        done = run(job, experiment, *QUICK, *more, cwd=tmp_path)
        assert done.returncode == 0, f"{job}: {done.stdout}\n{done.stderr}"
    assert "own-head minimum norm (oracle)" in done.stdout
    (written,) = Path(tmp_path / "runs/cortex/store/scores").rglob("scores.csv")
    rows = {row["predictor"]: row for row in csv.DictReader(written.read_text().splitlines())}
    assert float(rows["zero"]["explained_variance"]) == 0
    search = ("training.workers=1", "tuning.folds=2", "tuning.stop.trials=2", "tuning.test_subjects=['05']", *QUICK[:2])
    done = run("tune", experiment, *search, cwd=tmp_path, timeout_s=600)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "registered as cortex version 1" in done.stdout


@pytest.mark.parametrize("job", ["simulate", "preprocess"])
def test_there_is_nothing_to_prepare(tmp_path, job):
    done = run(job, ROOT / "jobs/experiments/cortex.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "samples" in done.stderr
    assert not (tmp_path / "runs").exists()
