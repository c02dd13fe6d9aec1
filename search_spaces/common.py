"""Training and windows, which every model has; the space of a model that brings no module of its own."""

from typing import Any

from optuna import Trial

from crossmodal.config import Experiment
from crossmodal.config.data import SlidingWindows

FIRST = {"learning_rate": 1e-3, "weight_decay": 0.0, "batch_size": 16, "window_s": 2.0}


def suggest(trial: Trial, experiment: Experiment) -> dict[str, Any]:
    """Vary how fast, how regularised and on which windows a model learns."""
    return training(trial) | windows(trial, experiment)


def training(trial: Trial) -> dict[str, Any]:
    """Vary the optimiser. The number of epochs stays, so that trials can be compared epoch by epoch."""
    return {
        "training.learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True),
        "training.weight_decay": trial.suggest_float("weight_decay", 0.0, 0.1),
        "training.batch_size": trial.suggest_categorical("batch_size", [8, 16, 32]),
    }


def windows(trial: Trial, experiment: Experiment) -> dict[str, Any]:
    """Vary the length of sliding windows, half overlapping; epochs are locked to what the experiment asks of them."""
    if not isinstance(experiment.data.windows, SlidingWindows):
        return {}
    length_s = trial.suggest_float("window_s", 1.0, 6.0, step=0.5)
    return {"data.windows.length_s": length_s, "data.windows.hop_s": length_s / 2}
