"""LightBunny: its width and chunks; the first trial is its authors'."""

from typing import Any

from optuna import Trial

from crossmodal.config import Experiment
from search_spaces import common

FIRST = common.FIRST_LIGHTBUNNY | {"width": 256, "chunk": 25}


def suggest(trial: Trial, experiment: Experiment) -> dict[str, Any]:
    """Vary the network, then training; its windows are as its samples are made."""
    del experiment
    network = {
        "model.width": trial.suggest_categorical("width", [64, 128, 256, 512]),
        "model.chunk": trial.suggest_categorical("chunk", [10, 25, 50]),
    }
    return network | common.training(trial, common.LARGE_BATCHES)
