"""Synaptech-Net: width and depth of the U-Net, the bridge, what enters it, and the lags of the linear skip around it."""

from typing import Any

from optuna import Trial

from crossmodal.config import Experiment
from search_spaces import common

# Synaptech paper, section 3.1.
FIRST = common.FIRST | {
    "width": 128,
    "depth": 4,
    "dropout": 0.2,
    "norm": "instance",
    "bridge_hidden": 512,
    "bridge_layers": 2,
    "representation": "waveform",
    "skip_taps": 0,
}


def suggest(trial: Trial, experiment: Experiment) -> dict[str, Any]:
    """Vary the network, then training and windows."""
    width = trial.suggest_categorical("width", [8, 16, 32, 64, 128])
    depth = trial.suggest_int("depth", 2, 4)
    taps = trial.suggest_categorical("skip_taps", [0, 21, 61, 101])
    network = {
        "model.widths": [width, 2 * width, 4 * width, 4 * width][:depth],
        "model.dropout": trial.suggest_float("dropout", 0.0, 0.5),
        "model.norm": trial.suggest_categorical("norm", ["instance", "none"]),
        "model.bridge_hidden": trial.suggest_categorical("bridge_hidden", [16, 32, 64, 128, 256, 512]),
        "model.bridge_layers": trial.suggest_int("bridge_layers", 0, 2),
        "model.representation": {"kind": trial.suggest_categorical("representation", ["waveform", "bands", "stft"])},
        "model.input_skip": {"filters": trial.suggest_int("skip_filters", 2, 16), "taps": taps} if taps else None,
    }
    return network | common.training(trial) | common.windows(trial, experiment)
