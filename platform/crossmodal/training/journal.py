"""What training tells, written to MLflow: a run for the experiment, and one below it for each fold."""

import contextlib
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from crossmodal.config import Experiment, fingerprint
from crossmodal.datasets.folds import ROLES, Fold
from crossmodal.datasets.manifest import Manifest
from crossmodal.models.registry import package_of
from crossmodal.models.store import load_model
from crossmodal.storage.uri import fetch_folder, join
from crossmodal.tracking.describe import parameters
from crossmodal.tracking.models import log_model
from crossmodal.tracking.runs import Tracker
from crossmodal.tracking.spool import Spool
from crossmodal.training import served_model
from crossmodal.training.fold import FoldProgress
from crossmodal.training.runs import FoldResult, model_uri

# An interrupted job has no time to wait for a server; the next one delivers what is left.
_LAST_WORDS_S = 5.0


class Journal:
    """Keeps MLflow up to date with one training run; leaving the context waits until it is.

    A server that is away stops nothing: what it misses lies in `tracking.spool` and is delivered, in order, when it answers again,
    or by the next job of the same run on this machine.

    Parameters
    ----------
    tracker : Tracker
        Closes, when it is left, the runs that no result has closed.
    folds : sequence of Fold
        Those this job trains.
    parent_id : str, optional
        The MLflow run that this one is part of.
    tags : mapping of str to str
        Set on the run and on those of its folds.
    with_models : bool
        Log each fold's model, not only where it lies.
    """

    def __init__(
        self,
        tracker: Tracker,
        experiment: Experiment,
        manifest: Manifest,
        run: str,
        folds: Sequence[Fold],
        parent_id: str | None = None,
        tags: Mapping[str, str] | None = None,
        with_models: bool = True,
    ) -> None:
        self._tracker = tracker
        self._experiment = experiment
        self._run = run
        self._subjects = {fold.name: _subjects(fold) for fold in folds}
        self._fold_ids: dict[str, str] = {}
        self._told: dict[str, int] = {}
        self._with_models = with_models
        self.run_id = tracker.start(run, parent_id=parent_id)
        settings = experiment.model_dump(mode="json", exclude={"tracking", "node_cache", "tuning", "nightly"})
        tracker.log_parameters(self.run_id, parameters(settings))
        tracker.log_json(self.run_id, settings, "experiment.json")
        tracker.log_json(self.run_id, manifest.model_dump(mode="json"), "dataset.json")
        self._lineage = {
            "dataset.fingerprint": manifest.fingerprint,
            "preprocessing.fingerprint": manifest.preprocessing,
            "store": experiment.store,
            "seed": str(experiment.seed),
            "protocol": "leaky" if any(fold.leaky for fold in folds) else experiment.split.kind,
            "model": experiment.model.kind,
            **(tags or {}),
        }
        tracker.log_tags(self.run_id, self._lineage | {"mlflow.note.content": experiment.note})
        self._dataset = {
            "name": experiment.name,
            "digest": manifest.fingerprint,
            "source": json.dumps({"uri": join(experiment.store, "datasets", f"{manifest.fingerprint}.json")}),
            "profile": json.dumps({"recordings": len(manifest.entries), "subjects": manifest.subjects}),
        }
        tracker.log_dataset(self.run_id, **self._dataset)

        place = fingerprint([tracker.uri, tracker.experiment_id, experiment.store, run])
        self._spool = Spool(Path(experiment.tracking.spool) / f"{run}-{place}.jsonl", self._deliver)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            return self._spool.drain(self._experiment.training.outage_s)
        with contextlib.suppress(Exception):
            self._spool.drain(_LAST_WORDS_S)

    def record(self, progress: FoldProgress) -> None:
        """Log, soon, the epochs that are not logged yet and, with a result, the model; then the fold's run is finished."""
        told = self._told.get(progress.fold, 0)
        self._told[progress.fold] = max(told, len(progress.history))
        self._spool.put(
            {
                "time": time.time(),
                "fold": progress.fold,
                "subjects": self._subjects[progress.fold],
                "first": told,
                "epochs": [metrics.named() for metrics in progress.history[told:]],
                "system": progress.system,
                "result": progress.result and progress.result.model_dump(mode="json"),
            }
        )

    def _deliver(self, record: dict[str, Any]) -> None:
        name, steps = record["fold"], [dict(step) for step in record["epochs"]]
        if record["result"] and self._tracker.is_finished(self._run, name):
            return
        run_id = self._fold_ids.get(name) or self._start(name, record["subjects"])
        if steps:
            steps[-1] |= record["system"]
        self._tracker.log_steps(run_id, steps, record["first"], record["time"])
        if record["result"]:
            self._finish(run_id, FoldResult.model_validate(record["result"]))

    def _start(self, name: str, subjects: dict[str, str]) -> str:
        run_id = self._tracker.start(self._run, name, self.run_id)
        self._tracker.log_parameters(run_id, {"fold": name} | subjects)
        self._tracker.log_tags(run_id, self._lineage)
        self._tracker.log_dataset(run_id, **self._dataset)
        self._fold_ids[name] = run_id
        return run_id

    def _finish(self, run_id: str, result: FoldResult) -> None:
        uri = model_uri(self._experiment.store, result.run, result.fold)
        self._tracker.log_tags(run_id, {"model.uri": uri})
        best = {"best_epoch": result.best.epoch, "best_validation_loss": result.best.validation_loss, "n_parameters": result.n_parameters}
        self._tracker.log_metrics(run_id, best)
        if self._with_models:
            self._log_model(run_id, uri)
        self._tracker.end(run_id, "FINISHED")

    def _log_model(self, run_id: str, uri: str) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "model"
            fetch_folder(uri, folder)
            network, card = load_model(folder)
            package = package_of(card.network.kind)
            packages = [package] if package else []
            logged = log_model(self._tracker, run_id, served_model.__name__, folder, card.signals, network.uses_places, packages)
        self._tracker.log_tags(run_id, {"model.mlflow": logged})

    def end(self, status: str) -> None:
        """Close the run and those of its folds that no result has closed, when all is written."""
        self._spool.drain(self._experiment.training.outage_s)
        self._tracker.end_with_children(self.run_id, status)


def _subjects(fold: Fold) -> dict[str, str]:
    return {role: ", ".join(dict.fromkeys(part.label for part in fold.parts(role))) for role in ROLES}
