"""The source net: its width, depth and filters."""

from typing import Any

from optuna import Trial

from crossmodal.config import Experiment
from search_spaces import common

FIRST = common.FIRST | {"width": 64, "layers": 2, "taps": 7, "dropout": 0.0}


def suggest(trial: Trial, experiment: Experiment) -> dict[str, Any]:
    """Vary the network, then training; its windows are as its samples are made."""
    del experiment
    network = {
        "model.width": trial.suggest_categorical("width", [32, 64, 128, 256]),
        "model.layers": trial.suggest_int("layers", 1, 4),
        "model.taps": trial.suggest_categorical("taps", [3, 7, 15]),
        "model.dropout": trial.suggest_float("dropout", 0.0, 0.3),
    }
    return network | common.training(trial)
