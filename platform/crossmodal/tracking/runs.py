"""MLflow runs: one an experiment and one a fold below it, found again by their tags so that a retry adds none."""

import contextlib
import logging
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, LifecycleStage, Metric, Param, Run
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from crossmodal.config import UserError
from crossmodal.config.experiment import Tracking
from crossmodal.storage.process import Process
from crossmodal.tracking.describe import document_without_credentials, git_commit, without_credentials

_LOG = logging.getLogger(__name__)
_SQLITE = "sqlite:///"


class Tracker:
    """The runs of one MLflow experiment; leaving the context closes those still open.

    Only the process that a user started writes to MLflow, and workers report to it: SQLite does on a laptop, and
    credentials stay in that process.
    """

    def __init__(self, tracking: Tracking) -> None:
        self.uri = tracking.uri
        self._open: set[str] = set()
        self._steps_logged: dict[str, int] = {}
        # MLflow's default of seven tries holds a job up for minutes.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
        # Bars of MLflow's own would break those of the job.
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        try:
            with _one_at_a_time(tracking.uri):
                self.client = MlflowClient(tracking.uri)
                self.experiment_id = self._get_or_create_experiment(tracking.experiment)
        except (MlflowException, SQLAlchemyError, ImportError, OSError) as error:
            place, reason = without_credentials(tracking.uri), without_credentials(str(error).splitlines()[0])
            refused = isinstance(error, MlflowException) and error.get_http_status_code() in (401, 403)
            keys = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
            advice = keys if refused else "is the server up, or the file MLflow's?"
            raise UserError(f"tracking.uri: {place} cannot be used; {advice} ({reason})") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        status = "FINISHED" if kind is None else "KILLED" if issubclass(kind, KeyboardInterrupt | SystemExit) else "FAILED"
        for run_id in list(self._open):
            try:
                self.end(run_id, status)
            except (MlflowException, SQLAlchemyError, OSError) as unreachable:
                # The next command closes them; what led here must not be hidden.
                _LOG.warning("a run of MLflow stays open (%s)", unreachable)

    def find(self, run: str, fold: str = "") -> Run | None:
        """Look a run up by what identifies it; without a fold it is the experiment's own."""
        wanted = f"tags.`crossmodal.run` = '{run}' AND tags.`crossmodal.fold` = '{fold}'"
        found = self.client.search_runs([self.experiment_id], wanted, max_results=1, order_by=["attributes.start_time ASC"])
        return found[0] if found else None

    def is_finished(self, run: str, fold: str = "") -> bool:
        """Tell whether a run exists and ended well."""
        known = self.find(run, fold)
        return known is not None and known.info.status == "FINISHED"

    def start(self, run: str, fold: str = "", parent_id: str | None = None) -> str:
        """Find or create a run, mark it RUNNING by this process, and return its id."""
        tags = {"crossmodal.run": run, "crossmodal.fold": fold, "mlflow.source.git.commit": git_commit()}
        process = Process.this()
        tags |= {"crossmodal.host": process.host, "crossmodal.process": process.name}
        known = self.find(run, fold)
        if known:
            run_id = str(known.info.run_id)
            self.log_tags(run_id, tags)
            self.client.update_run(run_id, status="RUNNING")
        else:
            parent = {"mlflow.parentRunId": parent_id} if parent_id else {}
            run_id = str(self.client.create_run(self.experiment_id, run_name=fold or run, tags=tags | parent).info.run_id)
        self._open.add(run_id)
        return run_id

    def end(self, run_id: str, status: str) -> None:
        """Close a run as FINISHED, FAILED or KILLED."""
        self.client.set_terminated(run_id, status)
        self._open.discard(run_id)

    def end_with_children(self, run_id: str, status: str) -> None:
        """Close a run, and with it those directly below it that are still open, whichever machine opened them."""
        below = f"tags.mlflow.parentRunId = '{run_id}' AND attributes.status = 'RUNNING'"
        for run in self.client.search_runs([self.experiment_id], below):
            self.end(run.info.run_id, status)
        self.end(run_id, status)

    def close_orphans(self) -> None:
        """Close what processes of this machine left RUNNING when they were killed."""
        here = Process.this().host
        wanted = f"attributes.status = 'RUNNING' AND tags.`crossmodal.host` = '{here}'"
        for run in self.client.search_runs([self.experiment_id], wanted):
            if not Process(here, run.data.tags["crossmodal.process"]).is_alive:
                self.client.set_terminated(run.info.run_id, "KILLED")

    def log_parameters(self, run_id: str, values: Mapping[str, str]) -> None:
        """Log parameters; those logged before stay as they are, since MLflow refuses to change them."""
        known = self.client.get_run(run_id).data.params
        new = [Param(key, value) for key, value in values.items() if key not in known]
        for first in range(0, len(new), 100):
            self.client.log_batch(run_id, params=new[first : first + 100])

    def log_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Log tags, without credentials."""
        for key, value in tags.items():
            self.client.set_tag(run_id, key, without_credentials(value))

    def log_dataset(self, run_id: str, name: str, digest: str, source: str, profile: str) -> None:
        """Log which dataset a run was trained on, and where it lies."""
        dataset = Dataset(name=name, digest=digest, source_type="uri", source=without_credentials(source), profile=profile)
        self.client.log_inputs(run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])

    def log_steps(self, run_id: str, steps: Sequence[Mapping[str, float]], first: int = 0, at_s: float | None = None) -> None:
        """Log the metrics of steps `first`, `first` + 1, ... as far as they are not logged yet.

        What is given again, because a process was killed or the answer to a request was lost, is not logged twice.

        Parameters
        ----------
        at_s : float, optional
            When they were measured, s since 1970; now by default.
        """
        at_ms = int((time.time() if at_s is None else at_s) * 1000)
        for step, values in enumerate(steps, start=first):
            if step < self._n_logged(run_id, next(iter(values))):
                continue
            try:
                self.client.log_batch(run_id, metrics=[Metric(name, value, at_ms, step) for name, value in values.items()])
            except Exception:
                # Perhaps it arrived all the same: the server is asked before the next try.
                del self._steps_logged[run_id]
                raise
            self._steps_logged[run_id] = step + 1

    def log_metrics(self, run_id: str, values: Mapping[str, float], step: int = 0) -> None:
        """Log metrics of the whole run."""
        now = int(time.time() * 1000)
        self.client.log_batch(run_id, metrics=[Metric(name, value, now, step) for name, value in values.items()])

    def log_figure(self, run_id: str, path: Path, folder: str = "figures") -> None:
        """Log a figure that was drawn to a file."""
        self.client.log_artifact(run_id, str(path), folder)

    def log_png(self, run_id: str, png: bytes, name: str) -> None:
        """Log a figure that was drawn in memory."""
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / f"{name}.png"
            path.write_bytes(png)
            self.log_figure(run_id, path)

    def log_html(self, run_id: str, html: str, name: str) -> None:
        """Log an interactive figure."""
        self.client.log_text(run_id, html, f"figures/{name}.html")

    def log_json(self, run_id: str, document: dict[str, Any], name: str) -> None:
        """Log a JSON document, without credentials."""
        self.client.log_dict(run_id, document_without_credentials(document), name)

    def _get_or_create_experiment(self, name: str) -> str:
        known = self.client.get_experiment_by_name(name)
        if known and known.lifecycle_stage == LifecycleStage.DELETED:
            # It keeps its name, and MLflow refuses runs in it.
            raise UserError(
                f"tracking.experiment: '{name}' was deleted in MLflow; restore it (mlflow experiments restore -x {known.experiment_id}),"
                " or give tracking.experiment another name"
            )
        if known:
            return str(known.experiment_id)
        if not self.uri.startswith(_SQLITE):
            return str(self.client.create_experiment(name))
        # Files of a SQLite deployment lie beside it, not wherever the job was started; a server knows its own place.
        beside = Path(self.uri.removeprefix(_SQLITE)).absolute().parent / "mlflow-artifacts"
        return str(self.client.create_experiment(name, str(beside)))

    def _n_logged(self, run_id: str, metric: str) -> int:
        if run_id not in self._steps_logged:
            self._steps_logged[run_id] = len(self.client.get_metric_history(run_id, metric))
        return self._steps_logged[run_id]


def _one_at_a_time(uri: str) -> contextlib.AbstractContextManager[object]:
    """Guard the creation of a SQLite schema, which fails when two processes try at once."""
    if not uri.startswith(_SQLITE):
        return contextlib.nullcontext()
    path = Path(uri.removeprefix(_SQLITE))
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(f"{path}.lock")
