"""The fully connected network of Bricman and Borst; the first trial is theirs."""

from typing import Any

from optuna import Trial

from crossmodal.config import Experiment
from search_spaces import common

FIRST = common.FIRST | common.FIRST_BRICMAN | {"channel_width": 100, "width": 1000, "depth": 3, "dropout": 0.5, "rank": 100}


def suggest(trial: Trial, experiment: Experiment) -> dict[str, Any]:
    """Vary widths, depth and dropout, then training."""
    dropout = trial.suggest_float("dropout", 0.1, 0.8)
    network = {
        "model.channel_width": trial.suggest_categorical("channel_width", [13, 25, 50, 100]),
        "model.widths": [trial.suggest_categorical("width", [125, 250, 500, 1000])] * trial.suggest_int("depth", 1, 3),
        "model.channel_dropout": dropout,
        "model.dropout": dropout,
        "model.rank": trial.suggest_categorical("rank", [13, 25, 50, 100]),
    }
    return network | common.training(trial) | common.augmentation(trial)
