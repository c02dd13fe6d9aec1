"""The perceptron that sees one time: its width, depth and dropout."""

from typing import Any

from optuna import Trial

from crossmodal.config import Experiment
from search_spaces import common

FIRST = common.FIRST | {"width": 256, "depth": 2, "dropout": 0.0}


def suggest(trial: Trial, experiment: Experiment) -> dict[str, Any]:
    """Vary the network, then training; its windows are as its samples are made."""
    del experiment
    network = {
        "model.widths": [trial.suggest_categorical("width", [64, 128, 256, 512])] * trial.suggest_int("depth", 1, 4),
        "model.dropout": trial.suggest_float("dropout", 0.0, 0.5),
    }
    return network | common.training(trial)
