"""DeepSIF: its width and depth; the first trial is its authors'."""

from typing import Any

from optuna import Trial

from crossmodal.config import Experiment
from search_spaces import common

FIRST = {"width": 500, "layers": 3, "learning_rate": 3e-4, "weight_decay": 1e-6, "batch_size": 64}


def suggest(trial: Trial, experiment: Experiment) -> dict[str, Any]:
    """Vary the network, then training; its windows are as its samples are made."""
    del experiment
    network = {
        "model.width": trial.suggest_categorical("width", [125, 250, 500]),
        "model.layers": trial.suggest_int("layers", 1, 4),
    }
    return network | common.training(trial, common.LARGE_BATCHES)
