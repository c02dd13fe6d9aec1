"""A search in MLflow: one run for the sweep, one below it a trial, and below that one a fold."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

from optuna.trial import FrozenTrial, TrialState

from crossmodal.evaluation.protocol import PROTOCOL
from crossmodal.tracking.describe import parameters
from crossmodal.tracking.outage import translate_outage_errors
from crossmodal.tracking.runs import Tracker
from crossmodal.tracking.spool import is_away
from crossmodal.training.fold import FoldProgress
from crossmodal.training.journal import Journal
from crossmodal.training.runs import finished, run_name
from crossmodal.tuning.trial import TrialContext

_LOG = logging.getLogger(__name__)
_STATUS = {TrialState.COMPLETE: "FINISHED", TrialState.PRUNED: "KILLED", TrialState.FAIL: "FAILED"}
_PAUSE_S = 2.0
# What a trial told, by its number, or how it ended.
_Item = tuple[int, dict[str, Any], list[FoldProgress]] | FrozenTrial
_METRICS = ("core_hours", "gpu_hours", "training_seconds")


class SweepJournal:
    """Keeps MLflow up to date with a study.

    What trials tell is written by a thread, in order, so that no trial waits for a server; leaving the context waits for what is still
    to be written. A server that is away for up to `training.outage_s` does not stop the search: the thread waits for it. What it
    missed all the same is written from the study, by `settle` or by the next command.

    Attributes
    ----------
    run_id : str
        Of the sweep.
    context : TrialContext
    tags : dict of str to str
        Of all its runs.
    """

    def __init__(self, tracker: Tracker, context: TrialContext, objectives: Sequence[str], test: Sequence[str], space: str) -> None:
        self._tracker = tracker
        self.context = context
        self._objectives = tuple(objectives)
        self._journals: dict[int, Journal] = {}
        self._queue: queue.Queue[_Item | None] = queue.Queue()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._away_since: float | None = None
        self.tags = {"sweep": context.study, "space": space, "objectives": ", ".join(objectives), "protocol.version": str(PROTOCOL)}
        tracker.close_orphans()
        self.run_id = tracker.start(sweep_run(context.study))
        settings = context.experiment.model_dump(mode="json", exclude={"tracking", "node_cache"})
        tracker.log_parameters(self.run_id, parameters(settings))
        tracker.log_json(self.run_id, settings, "experiment.json")
        tracker.log_json(self.run_id, context.manifest.model_dump(mode="json"), "dataset.json")
        lineage = {"dataset.fingerprint": context.manifest.fingerprint, "store": context.experiment.store}
        subjects = {"subjects.test": ", ".join(test), "subjects.development": ", ".join(context.split.subjects or ())}
        tracker.log_tags(self.run_id, self.tags | lineage | subjects | {"level": "sweep", "model": context.experiment.model.kind})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._queue.put(None)
        # After an interruption what is not written now is written by the next command.
        self._thread.join(timeout=None if kind is None else 10)

    def settle(self, trials: Sequence[FrozenTrial]) -> None:
        """Make sure, when the context is left, that all trials that ended are written, and close the runs of those that go on later.

        Raises
        ------
        UserError
            MLflow, or the store, was away for longer than `training.outage_s`.
        """
        with translate_outage_errors():
            self._patiently(lambda: self.catch_up(trials))
            # Trials that the clock stopped go on in the next search.
            for journal in self._journals.values():
                journal.end("KILLED")

    def record(self, number: int, overrides: dict[str, Any], news: list[FoldProgress]) -> None:
        """Write, soon, what a trial's folds told."""
        self._queue.put((number, overrides, news))

    def close(self, trial: FrozenTrial) -> None:
        """Write, soon, how a trial ended."""
        self._queue.put(trial)

    def catch_up(self, trials: Sequence[FrozenTrial]) -> None:
        """Write how trials ended, where that is not written yet: a killed driver had told Optuna, but perhaps not MLflow."""
        wanted = f"tags.sweep = '{self.context.study}' AND tags.level = 'trial'"
        known = {
            int(run.data.tags["trial"]): run.info.status
            for run in self._tracker.client.search_runs([self._tracker.experiment_id], wanted, max_results=10_000)
            if "ended" in run.data.tags
        }
        for trial in trials:
            if trial.state in _STATUS and known.get(trial.number) != _STATUS[trial.state]:
                self._close(trial)

    def _write(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                self._patiently(partial(self._deliver, item))
            except Exception as error:
                # Of whatever kind: the news of other trials come after it.
                _LOG.warning("MLflow did not take the news of a trial, and gets them later (%s)", error)

    def _patiently(self, action: Callable[[], None]) -> None:
        """Do it, again and again while a server is away, for `training.outage_s` from when it was first missed."""
        while True:
            try:
                action()
                self._away_since = None
                return
            except Exception as error:
                now = time.monotonic()
                self._away_since = self._away_since or now
                if not is_away(error) or now - self._away_since >= self.context.experiment.training.outage_s:
                    raise
            time.sleep(_PAUSE_S)

    def _deliver(self, item: _Item) -> None:
        if isinstance(item, FrozenTrial):
            return self._close(item)
        number, overrides, news = item
        journal = self._journal(number, overrides)
        for progress in news:
            journal.record(progress)

    def _journal(self, number: int, overrides: dict[str, Any]) -> Journal:
        if number not in self._journals:
            context = self.context
            experiment = context.experiment_of(number, overrides)
            tags = self.tags | {"trial": str(number), "level": "fold"}
            run = run_name(experiment, context.manifest)
            journal = Journal(self._tracker, experiment, context.manifest, run, context.folds, self.run_id, tags, with_models=False)
            self._tracker.log_tags(journal.run_id, {"level": "trial"})
            self._journals[number] = journal
        return self._journals[number]

    def _close(self, trial: FrozenTrial) -> None:
        if "overrides" not in trial.user_attrs:
            return
        journal = self._journal(trial.number, trial.user_attrs["overrides"])
        if trial.state == TrialState.COMPLETE:
            for fold in self.context.folds:
                if result := finished(self.context.experiment.store, trial.user_attrs["run"], fold.name):
                    journal.record(FoldProgress(fold.name, result.history, result=result))
            values = dict(zip(self._objectives, trial.values, strict=True))
            scores = {f"score/sub-{subject}": score for subject, score in trial.user_attrs["scores"]}
            self._tracker.log_metrics(journal.run_id, values | scores)
        cost = {name: trial.user_attrs[name] for name in _METRICS if name in trial.user_attrs}
        if cost:
            self._tracker.log_metrics(journal.run_id, cost)
        cause = trial.user_attrs.get("cause", "")
        self._tracker.log_tags(journal.run_id, {"state": trial.state.name, "ended": "yes"} | ({"cause": cause} if cause else {}))
        journal.end(_STATUS[trial.state])
        del self._journals[trial.number]


def sweep_run(study: str) -> str:
    """What identifies the run of a sweep."""
    return f"sweep-{study}"
