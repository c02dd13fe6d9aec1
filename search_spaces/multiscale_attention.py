"""The network of multi-scale attention: its scales, widths and layers."""

from typing import Any

from optuna import Trial

from crossmodal.config import Experiment
from search_spaces import common

_SCALES_S = {"short": (0.5, 1.0, 2.0), "middle": (1.0, 2.0, 4.0), "long": (2.0, 4.0, 8.0)}
FIRST = common.FIRST | common.FIRST_ATTENTION | {"expansion": 4, "scales": "middle", "time_layers": 4, "electrode_layers": 2, "rank": 64}


def suggest(trial: Trial, experiment: Experiment) -> dict[str, Any]:
    """Vary the network, then training; a scale must fit into a window, whose length the experiment gives."""
    network = {
        "model.scales_s": _SCALES_S[trial.suggest_categorical("scales", list(_SCALES_S))],
        "model.time_layers": trial.suggest_int("time_layers", 1, 4),
        "model.electrode_layers": trial.suggest_int("electrode_layers", 1, 2),
        "model.rank": trial.suggest_categorical("rank", [8, 16, 32, 64]),
    }
    return network | common.attention(trial) | common.training(trial)
