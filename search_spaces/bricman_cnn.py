"""The convolutional network of Bricman and Borst; the first trial is theirs."""

from typing import Any

from optuna import Trial

from crossmodal.config import Experiment
from search_spaces import common

FIRST = (
    common.FIRST
    | common.FIRST_BRICMAN
    | {"filters": 512, "features": 200, "width": 1000, "depth": 4, "dropout": 0.5, "rank": 100, "volume_width": 16}
)


def suggest(trial: Trial, experiment: Experiment) -> dict[str, Any]:
    """Vary widths, depth and dropout, then training."""
    network = {
        "model.filters": trial.suggest_categorical("filters", [64, 128, 256, 512]),
        "model.features": trial.suggest_categorical("features", [25, 50, 100, 200]),
        "model.widths": [trial.suggest_categorical("width", [125, 250, 500, 1000])] * trial.suggest_int("depth", 1, 4),
        "model.dropout": trial.suggest_float("dropout", 0.1, 0.8),
        "model.rank": trial.suggest_categorical("rank", [13, 25, 50, 100]),
        "model.volume_channels": [trial.suggest_categorical("volume_width", [2, 4, 8, 16])] * 3,
    }
    return network | common.training(trial) | common.augmentation(trial)
