"""A search, from its first trial to its last."""

import logging
import os
from collections.abc import Callable
from typing import Any

import optuna
import ray
from optuna.trial import FrozenTrial, TrialState
from ray import tune

from crossmodal.config import UnavailableError, UserError
from crossmodal.storage.outage import retry_while_away
from crossmodal.storage.uri import StoreAwayError, arrow_filesystem, translate_store_errors
from crossmodal.tracking.runs import Tracker
from crossmodal.training.checkpoint import remove_checkpoints
from crossmodal.training.ray_trainer import uses_gpu
from crossmodal.training.runs import checkpoints_uri
from crossmodal.tuning.halving import HalvingScheduler
from crossmodal.tuning.journal import SweepJournal
from crossmodal.tuning.locks import sweep_uri
from crossmodal.tuning.plan import SweepPlan
from crossmodal.tuning.search import Search, enqueue_first
from crossmodal.tuning.stop import Stop
from crossmodal.tuning.study import StudyFile, begun, interrupted_trials, open_study
from crossmodal.tuning.trial import TrialContext, run_trial

_LOG = logging.getLogger(__name__)
# The driver of a trial of several workers only waits.
_WAITING_CPU = 0.1


def search(
    plan: SweepPlan, tracker: Tracker, show: Callable[[FrozenTrial], None], seconds: float | None = None
) -> tuple[optuna.Study, SweepJournal, str]:
    """Run trials on Ray, which must be initialised, until a stop rule holds; what a killed search began goes on first.

    Parameters
    ----------
    seconds : float, optional
        After which trials that run are stopped, too; the next search of the study goes on with them.

    Returns
    -------
    study : optuna.Study
    journal : SweepJournal
        Of which the run is still open.
    reason : str
        Why no further trial was begun.

    Raises
    ------
    UserError
        The study cannot be opened or is another's.
    UnavailableError
        The store was away for longer than `training.outage_s`.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    experiment = plan.experiment
    context = TrialContext(experiment, plan.manifest, plan.study, plan.split, uses_gpu(experiment.training))
    if "gpu_hours" in experiment.tuning.objectives and not context.gpu:
        raise UserError("tuning.objectives: gpu_hours cannot be an objective on a cluster without GPUs; leave it out")
    file = StudyFile.of(experiment)
    study = open_study(experiment, plan.manifest, {"module": plan.space.name, **plan.parameters}, plan.split, plan.test, file)
    enqueue_first(study, plan.space)
    stop = Stop(experiment.tuning.stop)
    with SweepJournal(tracker, context, experiment.tuning.objectives, plan.test, plan.space.name) as journal:
        journal.catch_up(study.get_trials(deepcopy=False))
        searcher = Search(experiment, study, file, plan.space, stop)
        _fit(_tuner(plan, context, searcher, study, _Telling(journal, study, experiment.store, show), seconds), study, experiment.store)
    retry_while_away(file.copy, experiment.training.outage_s)
    journal.settle(study.get_trials(deepcopy=False))
    if searcher.unavailable:
        raise UnavailableError(f"{searcher.unavailable}; run the same command again, and the search goes on")
    return study, journal, stop.reason or "the time was up"


def _fit(tuner: tune.Tuner, study: optuna.Study, store: str) -> None:
    try:
        with translate_store_errors(store):
            tuner.fit()
    except StoreAwayError:
        # Tune looks into the store once more when all trials have ended.
        if interrupted_trials(study):
            raise


def _tuner(
    plan: SweepPlan, context: TrialContext, searcher: Search, study: optuna.Study, telling: tune.Callback, seconds: float | None
) -> tune.Tuner:
    tuning, training = plan.experiment.tuning, plan.experiment.training
    # Tune reads these from the environment alone. A trial's reports do not all hold its score, and its files are read by nobody.
    os.environ["TUNE_DISABLE_STRICT_METRIC_CHECKING"] = "1"
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    # Its tables would break those of the job.
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
    filesystem, path = arrow_filesystem(sweep_uri(plan.experiment.store, plan.study))
    one_worker = training.workers == 1
    per_worker: dict[str, float] = {"CPU": training.threads_per_worker, **({"GPU": 1} if context.gpu else {})}
    ended = [trial for trial in begun(study.get_trials(deepcopy=False)) if trial.state != TrialState.RUNNING]
    halved = tuning.halving is not None and len(tuning.objectives) == 1
    return tune.Tuner(
        tune.with_resources(tune.with_parameters(run_trial, context=context), per_worker if one_worker else {"CPU": _WAITING_CPU}),
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            scheduler=HalvingScheduler(tuning.halving, plan.epochs, ended) if halved and tuning.halving else None,
            num_samples=-1,
            time_budget_s=seconds,
            max_concurrent_trials=_concurrent(tuning.parallel_trials, training.workers, per_worker),
            # Trials of one worker share a process: a new one takes 5 to 7 s to import all that they need.
            reuse_actors=one_worker,
            trial_dirname_creator=lambda trial: f"trial-{trial.config['number']:04d}",
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=path,
            storage_filesystem=filesystem,
            failure_config=tune.FailureConfig(max_failures=training.max_failures),
            callbacks=[telling],
            verbose=0,
        ),
    )


def _concurrent(wanted: int, workers: int, per_worker: dict[str, float]) -> int:
    """As many trials as asked for, but none that would wait for workers while it holds its own place."""
    if workers == 1:
        return wanted
    room = min(int(ray.cluster_resources().get(kind, 0) // (workers * each)) for kind, each in per_worker.items())
    return max(1, min(wanted, room))


class _Telling(tune.Callback):
    """Passes on what trials tell. Tune pickles its callbacks; this one is not needed again, and leaves its threads behind."""

    def __init__(self, journal: SweepJournal, study: optuna.Study, store: str, show: Callable[[FrozenTrial], None]) -> None:
        self._journal = journal
        self._study = study
        self._store = store
        self._show = show

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def on_trial_result(self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any) -> None:
        """Pass on what its folds told."""
        if news := result.get("news"):
            self._journal.record(trial.config["number"], trial.config["overrides"], news)

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """A trial ended, by itself or because it was stopped."""
        self._ended(trial)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """A trial failed more often than it may."""
        self._ended(trial)

    def _ended(self, trial: Any) -> None:
        frozen = next(known for known in self._study.get_trials(deepcopy=False) if known.number == trial.config["number"])
        if not frozen.state.is_finished():
            return
        self._journal.close(frozen)
        self._show(frozen)
        if run := frozen.user_attrs.get("run"):
            try:
                remove_checkpoints(checkpoints_uri(self._store, run))
            except (UserError, OSError) as error:
                # Tune would take it for a failure of the trial, which has ended well.
                _LOG.warning("checkpoints of trial %d stay in the store (%s)", frozen.number, error)
