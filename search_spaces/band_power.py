"""The band power network: its width, depth and dropout, and how finely it reads power in time."""

from typing import Any

from optuna import Trial

from crossmodal.config import Experiment
from search_spaces import common

FIRST = common.FIRST | {"width": 64, "depth": 1, "dropout": 0.5, "bin_s": 2.0}


def suggest(trial: Trial, experiment: Experiment) -> dict[str, Any]:
    """Vary the network, then training; a bin must fit into a window, whose length the experiment gives."""
    network = {
        "model.width": trial.suggest_categorical("width", [16, 32, 64, 128]),
        "model.depth": trial.suggest_int("depth", 1, 3),
        "model.dropout": trial.suggest_float("dropout", 0.0, 0.7),
        "model.bin_s": trial.suggest_categorical("bin_s", [1.0, 2.0, 4.0]),
    }
    return network | common.training(trial)
