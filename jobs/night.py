"""The steps of one night, for jobs/nightly.py."""

import contextlib
import os
from datetime import datetime
from typing import TYPE_CHECKING

import mne
from rich.console import Console

from crossmodal.config import Experiment, UserError
from crossmodal.nightly.morning import Dataset, call_webhook, digest_of, failure_digest, links, publish
from crossmodal.nightly.night import plan_night, run_night
from crossmodal.nightly.record import NightRecord, previous_record, read_record, write_record
from crossmodal.reporting.digest import Digest, Failure
from crossmodal.storage.uri import join
from crossmodal.tracking.describe import git_commit, parameters
from crossmodal.tracking.runs import Tracker
from crossmodal.training.board import Board
from preprocessing.pipeline import preprocess_dataset
from preprocessing.plan import plan_dataset
from search_spaces.finding import find_space

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

_WEBHOOK = "CROSSMODAL_WEBHOOK"


class Night:
    """One night of an experiment, begun or gone on with.

    Parameters
    ----------
    experiment : Experiment
        Its store, if it is local, is absolute.
    known : NightRecord, optional
        What an attempt before this one left.
    """

    def __init__(self, experiment: Experiment, nights: str, date: str, known: NightRecord | None) -> None:
        began = known.began if known else datetime.now().isoformat(timespec="seconds")
        settings = parameters(experiment.model_dump(mode="json", exclude={"tracking", "node_cache", "note"}))
        spent = {"search_s": known.search_s, "beside_s": known.beside_s} if known else {}
        self._experiment = experiment
        self._nights = nights
        self._record = NightRecord(date=date, began=began, commit=git_commit(), settings=settings, **spent)
        self._dataset: Dataset | None = None
        self._console = Console(stderr=True)

    def run(self) -> int:
        """Do all steps, and return the exit code; a night that fails leaves a digest that says why."""
        write_record(self._nights, self._record)
        with Tracker(self._experiment.tracking) as tracker:
            tracker.close_orphans()
            run_id = tracker.start(f"night-{self._experiment.name}-{self._record.date}")
            try:
                digest = self._until_morning(tracker, run_id)
            except Exception as error:
                # What failed may be the store or MLflow itself, and must not be hidden by what follows from it.
                with contextlib.suppress(Exception):
                    self._end(tracker, run_id, failure_digest(self._experiment, self._now(), self._dataset, _reason(error)), 2)
                    tracker.end(run_id, "FAILED")
                raise
            assert self._dataset is not None
            code = 1 if self._dataset.failures else 0
            self._end(tracker, run_id, digest, code)
            return code

    def _until_morning(self, tracker: Tracker, run_id: str) -> Digest:
        mne.set_log_level("ERROR")
        experiment = self._experiment
        self._dataset = self._preprocess()
        plan = plan_night(experiment, find_space(experiment), tracker)
        with Board(self._console, plan.fold_names, experiment.training.epochs) as board:
            result = run_night(plan, self._nights, self._record, tracker, self._show, board.show)
        before = previous_record(self._nights, self._record.date)
        digest = digest_of(experiment, self._now(), before, self._dataset, result)
        places = {"scores and figures": join(experiment.store, "scores"), "this page": join(self._nights, digest.date, "digest.html")}
        tracker.log_metrics(run_id, {"search_hours": self._now().search_s / 3600, "promoted": float(result.verdict.promote)})
        return digest.model_copy(update={"links": links(tracker, {"this night": run_id, "the search": result.sweep_run}, places)})

    def _preprocess(self) -> Dataset:
        report = preprocess_dataset(plan_dataset(self._experiment), lambda outcome: None)
        failures = tuple(Failure(what=outcome.entry.label, cause=outcome.cause) for outcome in report.failures)
        return Dataset(report.count("made"), report.count("cached"), failures)

    def _end(self, tracker: Tracker, run_id: str, digest: Digest, code: int) -> None:
        uri = publish(digest, self._nights, tracker, run_id)
        ended = {"state": digest.state, "verdict": digest.verdict, "code": code}
        write_record(self._nights, self._now().model_copy(update=ended))
        if url := os.environ.get(_WEBHOOK):
            call_webhook(url, digest, uri)
        print(f"{digest.verdict}\ndigest: {uri}")

    def _now(self) -> NightRecord:
        """The record with what was noted meanwhile."""
        return read_record(self._nights, self._record.date) or self._record

    def _show(self, trial: "FrozenTrial") -> None:
        told = f"{trial.values[0]:.4g}" if trial.values else trial.user_attrs.get("cause", trial.state.name.lower())
        self._console.print(f"trial {trial.number}: {told}", soft_wrap=True)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {' '.join(str(error).split())}"
