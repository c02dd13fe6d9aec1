"""Optuna's figures of a study, as PNG and as interactive HTML."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import optuna
from matplotlib.figure import Figure
from optuna import visualization
from optuna.exceptions import ExperimentalWarning
from optuna.trial import FrozenTrial, TrialState
from optuna.visualization import matplotlib as drawn

# Fewer say nothing of which parameter matters.
_LEAST_TRIALS = 2
# A front has as many axes.
_MOST_AXES = 3


@dataclass(frozen=True)
class Plot:
    """One figure, in both forms."""

    name: str
    png: Figure
    html: str


def draw_study(study: optuna.Study, objectives: tuple[str, ...]) -> Iterator[Plot]:
    """Draw history, importance and parallel coordinates of the score and, with several objectives, the Pareto front.

    Nothing is drawn of fewer than two finished trials, and no importance where no parameter differs between them.
    """
    finished = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    if len(finished) < _LEAST_TRIALS:
        return
    score: dict[str, Any] = {"target": _score, "target_name": objectives[0]}
    yield _plot("history", visualization.plot_optimization_history, drawn.plot_optimization_history, study, score)
    axes = score | {"params": _usual(finished)}
    yield _plot("parallel_coordinates", visualization.plot_parallel_coordinate, drawn.plot_parallel_coordinate, study, axes)
    if any(len(values) > 1 for values in _values(finished).values()):
        score["evaluator"] = optuna.importance.FanovaImportanceEvaluator(seed=0)
        yield _plot("importance", visualization.plot_param_importances, drawn.plot_param_importances, study, score)
    if len(objectives) > 1:
        shown = slice(_MOST_AXES if len(objectives) == _MOST_AXES else 2)
        front = {"targets": lambda trial: trial.values[shown], "target_names": list(objectives[shown])}
        yield _plot("pareto_front", visualization.plot_pareto_front, drawn.plot_pareto_front, study, front)


def _score(trial: FrozenTrial) -> float:
    return trial.values[0]


def _usual(trials: list[FrozenTrial]) -> list[str]:
    """Parameters that most trials have: of a search over many models, all of theirs would be too many axes to read."""
    counts = Counter(name for trial in trials for name in trial.params)
    return sorted(name for name, count in counts.items() if 2 * count > len(trials))


def _values(trials: list[FrozenTrial]) -> dict[str, set[Any]]:
    """Values that parameters took, of those that every trial has."""
    shared = set.intersection(*(set(trial.params) for trial in trials))
    return {name: {trial.params[name] for trial in trials} for name in shared}


def _plot(name: str, interactive: Callable[..., Any], still: Callable[..., Any], study: optuna.Study, options: dict[str, Any]) -> Plot:
    # Optuna's drawings set a style for the whole process, and leave the figure open.
    with warnings.catch_warnings(), plt.rc_context():
        warnings.simplefilter("ignore", ExperimentalWarning)
        figure = np.ravel(np.asarray(still(study, **options), dtype=object))[0].figure
        html = interactive(study, **options).to_html(include_plotlyjs=True)
    plt.close(figure)
    return Plot(name, figure, html)
