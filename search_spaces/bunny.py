"""Bunny: its width, segments and dropout; the first trial is its authors'."""

from typing import Any

from optuna import Trial

from crossmodal.config import Experiment
from search_spaces import common

FIRST = common.FIRST_LIGHTBUNNY | {"width": 256, "segment": 25, "dropout": 0.2}


def suggest(trial: Trial, experiment: Experiment) -> dict[str, Any]:
    """Vary the network, then training; its windows are as its samples are made."""
    del experiment
    network = {
        "model.width": trial.suggest_categorical("width", [64, 128, 256, 512]),
        "model.segment": trial.suggest_categorical("segment", [10, 25, 50]),
        "model.dropout": trial.suggest_float("dropout", 0.0, 0.5),
    }
    return network | common.training(trial, common.LARGE_BATCHES)
