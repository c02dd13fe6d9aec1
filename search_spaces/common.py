"""Training and windows, which every model has; the space of a model that brings no module of its own."""

from typing import Any

from optuna import Trial

from crossmodal.config import Experiment
from crossmodal.config.data import SlidingWindows

FIRST = {"learning_rate": 1e-3, "weight_decay": 0.0, "batch_size": 16, "window_s": 2.0}
# Of the training of Bricman and Borst, and of transformers, as in theirs.
FIRST_BRICMAN = {"learning_rate": 1e-4, "batch_size": 32, "offset": 0.2, "noise": 0.001}
FIRST_ATTENTION = {"heads": 8, "head_width": 8, "expansion": 8, "dropout": 0.1}
# Of the training of LightBunny and Bunny; networks of cortical activity learn from larger batches.
FIRST_LIGHTBUNNY = {"learning_rate": 5e-4, "weight_decay": 0.0, "batch_size": 128}
BATCHES = (8, 16, 32)
LARGE_BATCHES = (32, 64, 128)


def suggest(trial: Trial, experiment: Experiment) -> dict[str, Any]:
    """Vary how fast, how regularised and on which windows a model learns."""
    return training(trial) | windows(trial, experiment)


def training(trial: Trial, batch_sizes: tuple[int, ...] = BATCHES) -> dict[str, Any]:
    """Vary the optimiser. The number of epochs stays, so that trials can be compared epoch by epoch."""
    return {
        "training.learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True),
        "training.weight_decay": trial.suggest_float("weight_decay", 0.0, 0.1),
        "training.batch_size": trial.suggest_categorical("batch_size", batch_sizes),
    }


def windows(trial: Trial, experiment: Experiment) -> dict[str, Any]:
    """Vary the length of sliding windows, half overlapping; epochs are locked to what the experiment asks of them."""
    if not isinstance(experiment.data.windows, SlidingWindows):
        return {}
    length_s = trial.suggest_float("window_s", 1.0, 6.0, step=0.5)
    return {"data.windows.length_s": length_s, "data.windows.hop_s": length_s / 2}


def augmentation(trial: Trial) -> dict[str, Any]:
    """Vary what training adds to its input."""
    return {
        "training.augmentation.offset": trial.suggest_float("offset", 0.0, 0.4),
        "training.augmentation.noise": trial.suggest_categorical("noise", [0.0, 0.001, 0.01, 0.1]),
    }


def attention(trial: Trial) -> dict[str, Any]:
    """Vary the width of a model's transformers, which is a multiple of the number of heads."""
    heads = trial.suggest_categorical("heads", [2, 4, 8])
    return {
        "model.heads": heads,
        "model.width": heads * trial.suggest_categorical("head_width", [4, 8, 16]),
        "model.expansion": trial.suggest_categorical("expansion", [2, 4, 8]),
        "model.dropout": trial.suggest_float("dropout", 0.0, 0.8),
    }
