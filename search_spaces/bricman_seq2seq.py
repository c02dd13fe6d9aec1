"""The sequence-to-sequence transformer of Bricman and Borst; the first trial is theirs."""

from typing import Any

from optuna import Trial

from crossmodal.config import Experiment
from search_spaces import common

FIRST = common.FIRST | common.FIRST_BRICMAN | common.FIRST_ATTENTION | {"encoder_layers": 6, "decoder_layers": 6, "regions_per_token": 8}


def suggest(trial: Trial, experiment: Experiment) -> dict[str, Any]:
    """Vary the two trunks and how many regions are a token, then training."""
    network = {
        "model.encoder_layers": trial.suggest_int("encoder_layers", 1, 6),
        "model.decoder_layers": trial.suggest_int("decoder_layers", 1, 6),
        "model.regions_per_token": trial.suggest_categorical("regions_per_token", [4, 8, 16]),
    }
    return network | common.attention(trial) | common.training(trial) | common.augmentation(trial)
