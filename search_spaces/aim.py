"""The AIM transformer: its width, depth and heads."""

from typing import Any

from optuna import Trial

from crossmodal.config import Experiment
from search_spaces import common

FIRST = common.FIRST | {"head_width": 32, "heads": 8, "encoder_layers": 6, "decoder_layers": 6, "expansion": 4, "dropout": 0.1}


def suggest(trial: Trial, experiment: Experiment) -> dict[str, Any]:
    """Vary the network, then training and windows; the width is a multiple of the number of heads."""
    heads = trial.suggest_categorical("heads", [2, 4, 8])
    network = {
        "model.heads": heads,
        "model.width": heads * trial.suggest_categorical("head_width", [8, 16, 32, 64]),
        "model.encoder_layers": trial.suggest_int("encoder_layers", 1, 6),
        "model.decoder_layers": trial.suggest_int("decoder_layers", 1, 6),
        "model.expansion": trial.suggest_categorical("expansion", [2, 4]),
        "model.dropout": trial.suggest_float("dropout", 0.0, 0.3),
    }
    return network | common.training(trial) | common.windows(trial, experiment)
