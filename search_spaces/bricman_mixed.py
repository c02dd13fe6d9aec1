"""The mixed network: the published front's filters and the published transformers' trunk come first."""

from typing import Any

from optuna import Trial

from crossmodal.config import Experiment
from search_spaces import common

FIRST = common.FIRST | common.FIRST_BRICMAN | common.FIRST_ATTENTION | {"filters": 512, "taps": 49, "pool": 16, "layers": 6}


def suggest(trial: Trial, experiment: Experiment) -> dict[str, Any]:
    """Vary the front and the trunk, then training."""
    network = {
        "model.filters": trial.suggest_categorical("filters", [64, 128, 256, 512]),
        "model.taps": trial.suggest_categorical("taps", [25, 49]),
        "model.pool": trial.suggest_categorical("pool", [16, 32, 64]),
        "model.layers": trial.suggest_int("layers", 1, 6),
    }
    return network | common.attention(trial) | common.training(trial) | common.augmentation(trial)
