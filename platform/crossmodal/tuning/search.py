"""Between Ray Tune and the Optuna study: which trial comes next, and what became of it."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import optuna
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import TrialState
from ray.tune.search import Searcher
from ray.tune.search.optuna import OptunaSearch

from crossmodal.config import Experiment
from crossmodal.config.tuning import Objective
from crossmodal.tuning.space import Space
from crossmodal.tuning.stop import Stop
from crossmodal.tuning.study import DIRECTIONS, StudyFile, begun, interrupted_trials

_SEED_STRIDE = 7919
# What a trial reports and its Optuna twin keeps.
_KEPT = ("core_hours", "gpu_hours", "training_seconds", "scores", "run", "cause", "parameters", "latency")


class Search(OptunaSearch):
    """Asks Optuna for trials, takes up those that a killed search left, and tells Optuna how each ended.

    Ray's own searcher reports a trial that its scheduler stopped as complete, with the loss it had by then; here it is pruned. Tune
    pickles this object: it holds no connection and no password.

    Parameters
    ----------
    file : StudyFile
        Copied to the store whenever a trial begins or ends.

    Attributes
    ----------
    unavailable : str
        What a trial could not go on without, or nothing. It is left to the next search, and no further one begins.
    """

    def __init__(self, experiment: Experiment, study: optuna.Study, file: StudyFile, space: Space, stop: Stop) -> None:
        objectives: tuple[Objective, ...] = experiment.tuning.objectives
        modes = ["max" if DIRECTIONS[objective] == "maximize" else "min" for objective in objectives]
        single = len(objectives) == 1
        super().__init__(
            space=_Overrides(space, experiment),
            metric=objectives[0] if single else list(objectives),
            mode=modes[0] if single else modes,
            sampler=_sampler(experiment, len(study.get_trials(deepcopy=False))),
            study_name=study.study_name,
            storage=study._storage,
        )
        # The same study, with the sampler.
        self._study = cast(optuna.Study, self._ot_study)
        self._objectives = objectives
        self._file = file
        self._stop = stop
        self.unavailable = ""
        self._interrupted = interrupted_trials(self._study)
        self._reported: dict[str, set[int]] = {}
        self._kept: dict[str, dict[str, Any]] = {}

    def suggest(self, trial_id: str) -> dict[str, Any] | None:
        """Give the config of the next trial, an interrupted one first, or say that the search has ended."""
        if self.unavailable:
            return cast(None, Searcher.FINISHED)
        if self._interrupted:
            self._ot_trials[trial_id] = self._interrupted.pop(0)
        elif self._stop(self._study.get_trials(deepcopy=False)):
            return cast(None, Searcher.FINISHED)
        suggested = cast(dict[str, Any], super().suggest(trial_id))
        trial = self._ot_trials[trial_id]
        frozen = next(known for known in self._study.get_trials(deepcopy=False) if known.number == trial.number)
        self._reported[trial_id] = set(frozen.intermediate_values)
        trial.set_user_attr("overrides", suggested["overrides"])
        self._file.keep()
        return {"number": trial.number, "overrides": suggested["overrides"]}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Report the validation loss of an epoch, negative, since higher scores are better; never twice."""
        self._kept[trial_id] = {name: result[name] for name in _KEPT if name in result}
        if len(self._objectives) > 1 or "validation_loss" not in result or result["epoch"] in self._reported[trial_id]:
            return
        self._reported[trial_id].add(result["epoch"])
        self._ot_trials[trial_id].report(-result["validation_loss"], result["epoch"])

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Tell Optuna: complete with its values, pruned where the scheduler stopped it, failed where it failed.

        A trial that could not go on for no fault of its own stays a running one.
        """
        result = result or {}
        if result:
            # The epoch at which a trial is stopped is not told by itself.
            self.on_trial_result(trial_id, result)
        trial = self._ot_trials.pop(trial_id)
        # Of a trial that was lost there is no result, but what it cost is in its last report.
        for name, value in self._kept.pop(trial_id, {}).items():
            trial.set_user_attr(name, value)
        if "unavailable" in result:
            self.unavailable = result["unavailable"]
        elif error or "cause" in result:
            self._study.tell(trial, state=TrialState.FAIL)
        elif self._objectives[0] not in result:
            self._study.tell(trial, state=TrialState.PRUNED)
        else:
            self._study.tell(trial, [result[objective] for objective in self._objectives])
        self._file.keep()


class _Overrides:
    """A space as Ray's searcher calls it: with an Optuna trial alone."""

    def __init__(self, space: Space, experiment: Experiment) -> None:
        self._suggest: Callable[[Any, Experiment], dict[str, Any]] = space.suggest
        self._experiment = experiment

    def __call__(self, trial: Any) -> dict[str, Any]:
        return {"overrides": self._suggest(trial, self._experiment)}


def _sampler(experiment: Experiment, n_known: int) -> BaseSampler:
    """A sampler that, when a search goes on, does not draw again what it drew before."""
    seed = experiment.seed + _SEED_STRIDE * n_known
    return RandomSampler(seed=seed) if experiment.tuning.sampler == "random" else TPESampler(seed=seed)


def enqueue_first(study: optuna.Study, space: Space) -> None:
    """Put the space's first trials at the head of an empty study."""
    trials: Sequence[optuna.trial.FrozenTrial] = study.get_trials(deepcopy=False)
    if not begun(list(trials)):
        for parameters in space.first:
            study.enqueue_trial(dict(parameters), skip_if_exists=True)
