"""One night from its beginning to its page, whatever fails meanwhile."""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from optuna.trial import FrozenTrial
from rich.console import Console

from crossmodal.config import Experiment, UserError, told
from crossmodal.nightly.morning import Dataset, call_webhook, digest_of, failure_digest, keep_page, links, log_page, page_uri
from crossmodal.nightly.night import plan_night, run_night
from crossmodal.nightly.record import NightRecord, nights_uri, previous_record, read_record, write_record
from crossmodal.reporting.digest import Digest
from crossmodal.storage.lease import HeldError, Lease
from crossmodal.storage.uri import absolute, check_reachable, join
from crossmodal.tracking.describe import git_commit, parameters, without_credentials
from crossmodal.tracking.runs import Tracker
from crossmodal.training.board import Board
from crossmodal.tuning.space import Space
from crossmodal.tuning.study import called

_WEBHOOK = "CROSSMODAL_WEBHOOK"
_RECORDINGS_FAILED, _TO_MEND, _UNFORESEEN = 1, 2, os.EX_SOFTWARE


@dataclass(frozen=True)
class Steps:
    """What a night does by code that lies above this package.

    Attributes
    ----------
    start_ray : callable
        From the experiment; starts what trials run on.
    preprocess : callable
        From the experiment to what became of its recordings.
    find_space : callable
        From the experiment to what trials vary.
    say : callable
        Takes what the night came to, for whoever started it.
    """

    start_ray: Callable[[Experiment], None]
    preprocess: Callable[[Experiment], Dataset]
    find_space: Callable[[Experiment], Space]
    say: Callable[[str], None]


def run_whole_night(experiment: Experiment, date: str, steps: Steps) -> int:
    """Run the night of a date unless it is done, say where its digest lies, and return the exit code.

    Returns
    -------
    int
        0; 1 where recordings failed, 70 where the night failed unforeseen.

    Raises
    ------
    UserError
        Another process runs it, which is no failure, or it failed for something that the user can mend, which is told to a webhook.
    """
    store = absolute(experiment.store)
    experiment, nights = experiment.model_copy(update={"store": store}), nights_uri(store, experiment.name)
    with contextlib.ExitStack() as stack:
        try:
            check_reachable(store)
            stack.enter_context(Lease(join(nights, "running.json"), f"a night of {experiment.name}"))
            known = read_record(nights, date)
        except HeldError:
            raise
        except Exception as error:
            # The store, where a page would lie, is what failed.
            _tell(failure_digest(experiment.name, date, None, _reason(error)), "")
            raise
        if known and known.done:
            steps.say(f"night of {date} is done: {known.verdict}\ndigest: {page_uri(nights, date)}")
            return known.code
        return _Night(experiment, nights, date, known, steps).run()


class _Night:
    """One night of an experiment, begun or gone on with.

    Parameters
    ----------
    experiment : Experiment
        Its store, if it is local, is absolute.
    known : NightRecord, optional
        What an attempt before this one left.
    """

    def __init__(self, experiment: Experiment, nights: str, date: str, known: NightRecord | None, steps: Steps) -> None:
        began = known.began if known else datetime.now().isoformat(timespec="seconds")
        settings = parameters(experiment.model_dump(mode="json", exclude={"tracking", "node_cache", "note"}))
        spent = {"search_s": known.search_s, "beside_s": known.beside_s} if known else {}
        budget_s = 3600 * experiment.nightly.search_hours
        self._experiment = experiment
        self._nights = nights
        self._steps = steps
        self._record = NightRecord(date=date, began=began, commit=git_commit(), settings=settings, budget_s=budget_s, **spent)
        self._dataset: Dataset | None = None
        self._page = page_uri(nights, date)
        self._console = Console(stderr=True)

    def run(self) -> int:
        """Do all steps, and return the exit code; a night that fails leaves a page, a record and a message that say why.

        Raises
        ------
        UserError
            It failed for something that the user can mend.
        """
        try:
            return self._attempt()
        except UserError:
            raise
        except Exception as error:
            self._console.out(f"error: {_reason(error)}", highlight=False)
            return _UNFORESEEN

    def _attempt(self) -> int:
        with contextlib.ExitStack() as stack:
            mlflow: tuple[Tracker, str] | None = None
            try:
                write_record(self._nights, self._record)
                tracker = stack.enter_context(Tracker(self._experiment.tracking))
                tracker.close_orphans()
                mlflow = tracker, tracker.start(f"night-{self._experiment.name}-{self._record.date}")
                digest = self._until_morning(*mlflow)
                assert self._dataset is not None
                code = _RECORDINGS_FAILED if self._dataset.failures else 0
                keep_page(digest, self._nights)
                log_page(digest, *mlflow)
                self._note_end(digest, code)
            except Exception as error:
                self._tell_failure(error, mlflow)
                raise
            _tell(digest, self._page)
            self._steps.say(f"{digest.verdict}\ndigest: {self._page}")
            return code

    def _until_morning(self, tracker: Tracker, run_id: str) -> Digest:
        experiment = self._experiment
        self._steps.start_ray(experiment)
        self._dataset = self._steps.preprocess(experiment)
        plan = plan_night(experiment, self._steps.find_space(experiment), tracker, self._record.date)
        self._console.print(plan.foresight, soft_wrap=True)
        with Board(self._console, plan.fold_names, experiment.training.epochs) as board:
            result = run_night(plan, self._nights, self._record, tracker, self._show, board.show)
        write_record(self._nights, self._now().model_copy(update={"reason": result.reason}))
        before = previous_record(self._nights, self._record.date)
        digest = digest_of(experiment, self._now(), before, self._dataset, result)
        places = {"scores and figures": join(experiment.store, "scores"), "this page": self._page}
        tracker.log_metrics(run_id, {"search_hours": self._now().search_s / 3600, "promoted": float(result.verdict.promote)})
        return digest.model_copy(update={"links": links(tracker, {"this night": run_id, "the search": result.sweep_run}, places)})

    def _tell_failure(self, error: Exception, mlflow: tuple[Tracker, str] | None) -> None:
        """Say why wherever that can be said: the store or MLflow may be what failed, and neither is missing for want of the other."""
        digest = failure_digest(self._experiment.name, self._record.date, self._dataset, _reason(error))
        code = _TO_MEND if isinstance(error, UserError) else _UNFORESEEN
        kept = _managed(partial(keep_page, digest, self._nights))
        _managed(partial(self._note_end, digest, code))
        _managed(partial(_tell, digest, self._page if kept else ""))
        if mlflow:
            tracker, run_id = mlflow
            _managed(partial(log_page, digest, tracker, run_id))
            _managed(partial(tracker.end, run_id, "FAILED"))
        self._steps.say("\n".join([digest.verdict, *([f"digest: {self._page}"] if kept else [])]))

    def _note_end(self, digest: Digest, code: int) -> None:
        ended = {"state": digest.state, "verdict": digest.verdict, "code": code}
        write_record(self._nights, self._now().model_copy(update=ended))

    def _now(self) -> NightRecord:
        """The record with what was noted meanwhile."""
        return read_record(self._nights, self._record.date) or self._record

    def _show(self, trial: FrozenTrial) -> None:
        told = f"{trial.values[0]:.4g}" if trial.values else trial.user_attrs.get("cause", trial.state.name.lower())
        self._console.print(f"{called(trial)}: {told}", soft_wrap=True)


def _tell(digest: Digest, page: str) -> None:
    if url := os.environ.get(_WEBHOOK):
        call_webhook(url, digest, page)


def _reason(error: Exception) -> str:
    return without_credentials(told(error))


def _managed(step: Callable[[], None]) -> bool:
    """Do what follows from a failure, which must not be hidden by what fails in turn."""
    with contextlib.suppress(Exception):
        step()
        return True
    return False
