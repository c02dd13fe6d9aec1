"""Train what an MLflow run tells of once more, and say whether it comes out the same."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from crossmodal.config import Experiment, UserError
from crossmodal.config.experiment import Tracking
from crossmodal.config.parsing import parse
from crossmodal.datasets.folds import Fold, make_folds
from crossmodal.datasets.manifest import Manifest, load
from crossmodal.datasets.shard import read_entry
from crossmodal.models.checking import checked
from crossmodal.reporting.report import metric_name
from crossmodal.tasks.choosing import task_of
from crossmodal.tasks.evaluate import evaluate_folds
from crossmodal.tracking.describe import commit_in, git_commit, same_code
from crossmodal.tracking.runs import Tracker
from crossmodal.training.ray_trainer import train_folds, uses_gpu
from crossmodal.training.runs import FoldResult

# As crossmodal.training.loop says: the same bits on a CPU, and what GPUs agree to.
_TOLERANCES = {"cpu": 0.0, "float32": 1e-3, "bfloat16": 1e-2}
_COMPARED = ("loss", "validation_loss", "learning_rate")


@dataclass(frozen=True)
class Recorded:
    """What MLflow knows of a training run.

    Attributes
    ----------
    experiment : Experiment
        With the store that it was trained in.
    manifest : Manifest
        Its dataset, as it lies in that store now.
    folds : dict of str to Run
        Runs of the folds to train again, by name.
    unchecked : tuple of str
        What nobody can tell to be as it was, a sentence each.
    """

    experiment: Experiment
    manifest: Manifest
    name: str
    folds: dict[str, Run]
    tracker: Tracker
    unchecked: tuple[str, ...] = ()


def read_recorded(tracking: Tracking, run_id: str) -> Recorded:
    """Look a run up, and check that code and data are those it was made with.

    Parameters
    ----------
    run_id : str
        Of a fold, or of an experiment with all its folds.

    Raises
    ------
    UserError
        There is no such training run, the code is at another commit, or the dataset is not what it was, or no longer there.
    """
    tracker = Tracker(tracking)
    try:
        run = tracker.client.get_run(run_id)
        parent = run if not run.data.tags.get("crossmodal.fold") else tracker.client.get_run(run.data.tags["mlflow.parentRunId"])
        settings = json.loads(Path(tracker.client.download_artifacts(parent.info.run_id, "experiment.json")).read_text())
    except (MlflowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"run {run_id}: is no training run of {tracking.uri}; give the id of a fold's or an experiment's run ({reason})"
        ) from None
    below = f"tags.mlflow.parentRunId = '{parent.info.run_id}'"
    runs = [run] if run is not parent else tracker.client.search_runs([run.info.experiment_id], below)
    folds = {found.data.tags["crossmodal.fold"]: found for found in runs if found.data.tags.get("crossmodal.fold")}
    if not folds:
        raise UserError(f"run {run_id}: has no trained folds; give the id of a fold's or an experiment's run")
    unchecked = _check_commit(run)
    experiment = _experiment(settings, run_id)
    manifest = load(experiment.store, next(iter(folds.values())).data.tags["dataset.fingerprint"])
    _check_data(manifest, experiment.store)
    return Recorded(experiment, manifest, parent.data.tags["crossmodal.run"], folds, tracker, unchecked)


def reproduce(recorded: Recorded, store: str) -> list[str]:
    """Train the folds again, on Ray, which must be initialised, in a store of their own; list what differs.

    Parameters
    ----------
    store : str
        Empty; data are read where they were.
    """
    experiment = recorded.experiment.model_copy(update={"store": store})
    folds = [fold for fold in make_folds(experiment.split, recorded.manifest) if fold.name in recorded.folds]
    results: dict[str, FoldResult] = {}
    for progress in train_folds(experiment, recorded.manifest, recorded.name, folds):
        if progress.result:
            results[progress.fold] = progress.result
    training = experiment.training
    tolerance = _TOLERANCES[training.precision if uses_gpu(training) else "cpu"]
    differences = [text for name, result in results.items() for text in _differing_epochs(recorded, name, result, tolerance)]
    return differences + list(_differing_scores(recorded, experiment, folds, tolerance))


def _differing_epochs(recorded: Recorded, name: str, result: FoldResult, tolerance: float) -> Iterator[str]:
    run_id = recorded.folds[name].info.run_id
    for metric in _COMPARED:
        logged = {point.step: point.value for point in recorded.tracker.client.get_metric_history(run_id, metric)}
        now = {metrics.epoch: getattr(metrics, metric) for metrics in result.history}
        for epoch in sorted(logged.keys() | now.keys()):
            if not _same(logged.get(epoch), now.get(epoch), tolerance):
                yield f"fold {name}, epoch {epoch + 1}, {metric}: was {logged.get(epoch)}, is {now.get(epoch)}"


def _differing_scores(recorded: Recorded, experiment: Experiment, folds: list[Fold], tolerance: float) -> Iterator[str]:
    """Test scores of the model, where the run has them."""
    evaluation = experiment.evaluation.model_copy(update={"baselines": (), "ceilings": False})
    primary = task_of(experiment).scorecard(experiment).primary
    scored = [fold for fold in folds if any(key.startswith("test/") for key in recorded.folds[fold.name].data.metrics)]
    for fold in evaluate_folds(experiment.model_copy(update={"evaluation": evaluation}), recorded.manifest, recorded.name, scored):
        values: dict[str, list[float]] = {}
        for score in (score for score in fold.scores.scores if score.role == "model"):
            values.setdefault(metric_name(score.channel_type, score.predictor, primary), []).append(score.score)
        for metric, of_metric in values.items():
            was, now = recorded.folds[fold.scores.fold].data.metrics.get(metric), sum(of_metric) / len(of_metric)
            # Means of the same numbers may be taken in another order.
            if not _same(was, now, max(tolerance, 1e-12)):
                yield f"fold {fold.scores.fold}, {metric}: was {was}, is {now}"


def _same(was: float | None, now: float | None, tolerance: float) -> bool:
    return was is not None and now is not None and math.isclose(was, now, rel_tol=tolerance, abs_tol=0.0)


def _experiment(settings: Any, run_id: str) -> Experiment:
    try:
        return checked(parse(Experiment, settings))
    except UserError as error:
        raise UserError(f"run {run_id}: this code does not take its settings ({error}); check out the commit it was made by") from None


def _check_commit(run: Run) -> tuple[str, ...]:
    """Refuse another commit; say what cannot be checked."""
    was, now = run.data.tags.get("mlflow.source.git.commit", "unknown"), git_commit()
    same = same_code(was, now)
    if same is False:
        raise UserError(f"run {run.info.run_id}: was made by commit {was}, and this is {now}; git checkout {commit_in(was)} first")
    return () if same else (f"cannot be checked: whether the code is the same; the run was made by commit {was}, and this is {now}",)


def _check_data(manifest: Manifest, store: str) -> None:
    for entry in manifest.entries:
        try:
            found = read_entry(entry.uri)
        except FileNotFoundError:
            raise UserError(f"{store}: {entry.label} is no longer in the store; run jobs/preprocess.py on its recording again") from None
        if found.sha256 != entry.sha256:
            raise UserError(f"{entry.uri}: {entry.label} is not the recording that the run was trained on; its checksum differs")
