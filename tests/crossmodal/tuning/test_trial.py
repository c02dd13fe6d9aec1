"""A6: a trial, without Ray: what it reports, and that it never looks at a test subject."""

import math
import shutil
from pathlib import Path

import pytest

from crossmodal.config import overridden
from crossmodal.datasets.manifest import load_latest
from crossmodal.training.fold import FoldProgress
from crossmodal.training.runs import FoldResult
from crossmodal.training.state import EpochMetrics
from crossmodal.tuning.plan import plan_sweep
from crossmodal.tuning.space import trial_experiment
from crossmodal.tuning.trial import TrialContext, TrialReport, train_trial
from tests.crossmodal.tuning.conftest import SMALL


@pytest.fixture
def poisoned(cohort, tmp_path):
    """A copy of the cohort in which whoever opens a test subject fails."""
    shutil.copytree(cohort.store, tmp_path / "store")
    experiment = overridden(
        cohort, {"store": str(tmp_path / "store"), "node_cache.root": str(tmp_path / "cache"), "tuning.objectives": ["score", "latency"]}
    )
    plan = plan_sweep(experiment, SMALL)
    for entry in load_latest(experiment.store, experiment.dataset_recipe).entries:
        if entry.subject in plan.test:
            shutil.rmtree(Path(entry.uri))
    return plan


def test_a_trial_scores_every_development_subject_once_and_opens_no_test_subject(poisoned):
    context = TrialContext(poisoned.experiment, poisoned.manifest, poisoned.study, poisoned.split, gpu=False)
    reports = []
    train_trial(context.experiment_of(3, {"model.widths": [4, 8]}), context, reports.append)
    *epochs, last = reports
    assert [report["epoch"] for report in epochs] == [1, 2, 3, 4]
    assert all(math.isfinite(report["validation_loss"]) and "score" not in report for report in epochs)
    assert [subject for subject, _ in last["scores"]] == list(poisoned.split.subjects)
    assert last["score"] == pytest.approx(sum(score for _, score in last["scores"]) / 4)
    assert last["run"].startswith("small-0003-")
    assert last["parameters"] > 0
    assert last["latency"] > 0
    assert 0 < last["training_seconds"] / 3600 <= last["core_hours"]
    assert last["gpu_hours"] == 0

    again = []
    train_trial(context.experiment_of(3, {"model.widths": [4, 8]}), context, again.append)
    assert [(report["epoch"], report["validation_loss"]) for report in again[:-1]] == [(r["epoch"], r["validation_loss"]) for r in epochs]
    assert again[-1]["score"] == last["score"]
    assert again[-1]["training_seconds"] == last["training_seconds"]


def test_a_trial_that_fails_tells_why_what_it_cost_and_where_its_checkpoints_lie(plan):
    context = TrialContext(plan.experiment, plan.manifest, plan.study, plan.split, gpu=False)
    rate = {"training.learning_rate": 1e30, "training.gradient_clip": None, "training.warmup_epochs": 0}
    reports = []
    train_trial(context.experiment_of(7, rate), context, reports.append)
    assert reports[-1]["cause"].startswith("the loss was no longer finite")
    assert reports[-1]["run"].startswith("small-0007-")
    assert reports[-1]["core_hours"] > 0
    assert reports[-1]["gpu_hours"] == 0


def epoch(number: int, loss: float) -> EpochMetrics:
    return EpochMetrics(epoch=number, loss=1.0, validation_loss=loss, learning_rate=1e-3, seconds=36.0, windows_per_s=1.0)


def test_losses_are_means_over_folds_so_far_and_costs_survive_a_resume(cohort, plan):
    experiment = trial_experiment(plan.experiment, {"training.threads_per_worker": 2}, "study", 0, plan.split)
    reports = []
    report = TrialReport(["cv-01", "cv-02"], experiment, "run", False, reports.append)
    report.tell(FoldProgress("cv-01", (epoch(0, 0.4),)))  # an earlier life trained it
    history = (epoch(0, 0.4), epoch(1, 0.6))
    report.tell(FoldProgress("cv-01", history, result=FoldResult(run="run", fold="cv-01", n_parameters=1, history=history)))
    report.tell(FoldProgress("cv-02", ()))
    report.tell(FoldProgress("cv-02", (epoch(0, 0.8),)))
    assert [(r["epoch"], r["validation_loss"]) for r in reports] == [(1, 0.4), (2, 0.6), (3, pytest.approx(0.6))]
    assert [r["training_seconds"] for r in reports] == [36, 72, 108]
    assert reports[-1]["core_hours"] == pytest.approx(2 * 36 / 3600, rel=0.01)
