"""The unrolled Champagne: its patches, iterations, corrections and residual."""

from typing import Any

from optuna import Trial

from crossmodal.config import Experiment
from search_spaces import common

FIRST = common.FIRST | {
    "learning_rate": 3e-3,
    "batch_size": 32,
    "centres": 200,
    "noise": 0.1,
    "background": 0.5,
    "iterations": 8,
    "hidden": 16,
    "recurrent": 64,
}


def suggest(trial: Trial, experiment: Experiment) -> dict[str, Any]:
    """Vary the network, then training; its windows are as its samples are made."""
    del experiment
    network = {
        "model.centres": trial.suggest_categorical("centres", [100, 200, 400]),
        "model.noise": trial.suggest_float("noise", 0.01, 1.0, log=True),
        "model.background": trial.suggest_float("background", 0.1, 0.9),
        "model.iterations": trial.suggest_int("iterations", 4, 16),
        "model.hidden": trial.suggest_categorical("hidden", [8, 16, 32]),
        "model.recurrent": trial.suggest_categorical("recurrent", [32, 64, 128]),
    }
    return network | common.training(trial, common.LARGE_BATCHES)
