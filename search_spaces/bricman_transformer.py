"""The transformer encoder of Bricman and Borst; the first trial is theirs."""

from typing import Any

from optuna import Trial

from crossmodal.config import Experiment
from search_spaces import common

FIRST = common.FIRST | common.FIRST_BRICMAN | common.FIRST_ATTENTION | {"encoder_layers": 6, "rank": 128}


def suggest(trial: Trial, experiment: Experiment) -> dict[str, Any]:
    """Vary the trunk and the number of features, then training."""
    network = {
        "model.encoder_layers": trial.suggest_int("encoder_layers", 1, 6),
        "model.rank": trial.suggest_categorical("rank", [16, 32, 64, 128]),
    }
    return network | common.attention(trial) | common.training(trial) | common.augmentation(trial)
