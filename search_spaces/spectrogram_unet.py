"""The U-Net from spectrograms to slices: its widths and depth, and how finely it reads time."""

from typing import Any

from optuna import Trial

from crossmodal.config import Experiment
from search_spaces import common

FIRST = common.FIRST | {"steps": 20, "front_width": 64, "width": 64, "depth": 4, "dropout": 0.2}


def suggest(trial: Trial, experiment: Experiment) -> dict[str, Any]:
    """Vary the network, then training; widths double with depth."""
    width = trial.suggest_categorical("width", [8, 16, 32, 64])
    network = {
        "model.steps": trial.suggest_categorical("steps", [5, 10, 20]),
        "model.front_width": trial.suggest_categorical("front_width", [8, 16, 32, 64]),
        "model.widths": [width * 2**level for level in range(trial.suggest_int("depth", 2, 4))],
        "model.dropout": trial.suggest_float("dropout", 0.0, 0.5),
    }
    return network | common.training(trial)
