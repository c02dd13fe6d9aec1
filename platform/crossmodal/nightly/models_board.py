"""What became of each model of a search over several."""

from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState

from crossmodal.config.models import ModelSettings
from crossmodal.evaluation.scores import defined
from crossmodal.evaluation.statistics import t_interval
from crossmodal.models.registry import network_spec
from crossmodal.reporting.digest import ModelRow, Standing
from crossmodal.tuning.space import chosen_model
from crossmodal.tuning.study import best_trial, called

_ENDED = {TrialState.COMPLETE: "finished", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}


def models_board(trials: Sequence[FrozenTrial], winner: FrozenTrial) -> tuple[ModelRow, ...]:
    """Tell the best trial of each model, the best one first; nothing where the space leaves the model to the experiment.

    Parameters
    ----------
    trials : sequence of FrozenTrial
        Of the whole study.
    winner : FrozenTrial
    """
    of_model: dict[str, list[FrozenTrial]] = {}
    for trial in trials:
        if kind := chosen_model(trial.user_attrs.get("overrides", {})):
            of_model.setdefault(kind, []).append(trial)
    rows = [_row(kind, own, winner) for kind, own in of_model.items()]
    return tuple(sorted(rows, key=lambda row: -row.best.mean if row.best else float("inf")))


def _row(kind: str, trials: Sequence[FrozenTrial], winner: FrozenTrial) -> ModelRow:
    states = [trial.state for trial in trials]
    ended = ", ".join(f"{states.count(state)} {word}" for state, word in _ENDED.items() if state in states)
    best = best_trial(list(trials))
    return ModelRow(model=kind, best=_standing(best, best.number == winner.number) if best else None, trials=ended or "none ended")


def _standing(trial: FrozenTrial, is_winner: bool) -> Standing:
    """A finished trial over the development subjects, each scored where it was left out."""
    scores = [score for _, score in trial.user_attrs["scores"]]
    low, high = (defined(end) for end in t_interval(scores))
    title = network_spec(ModelSettings.model_validate(trial.user_attrs["overrides"]["model"])).config.title
    name = f"{called(trial)}: {title}"
    return Standing(name=name, role="winner" if is_winner else "trial", mean=trial.values[0], low=low, high=high, n=len(scores))
