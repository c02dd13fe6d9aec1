"""The source power network: its components, its dropout, the exponent of power, and how finely it reads power in time."""

from typing import Any

from optuna import Trial

from crossmodal.config import Experiment
from search_spaces import common

FIRST = common.FIRST | {
    "learning_rate": 3e-3,
    "weight_decay": 0.1,
    "batch_size": 32,
    "exponent": 0.7,
    "components": 16,
    "dropout": 0.5,
    "bin_s": 2.0,
}


def suggest(trial: Trial, experiment: Experiment) -> dict[str, Any]:
    """Vary the network, then training; a bin must fit into a window, whose length the experiment gives."""
    network = {
        "model.exponent": trial.suggest_categorical("exponent", [0.35, 0.5, 0.7, 1.0]),
        "model.components": trial.suggest_categorical("components", [4, 8, 16, 32]),
        "model.dropout": trial.suggest_float("dropout", 0.0, 0.7),
        "model.bin_s": trial.suggest_categorical("bin_s", [1.0, 2.0, 4.0]),
    }
    return network | common.training(trial)
