"""The network of Calhas and Henriques: attention and style, latent vector, alignment, and the decoder of voxels."""

from typing import Any

from optuna import Trial

from crossmodal.config import Experiment

# What attention there is, and what the latent vector's style follows from.
_ATTENTION = {
    "none": (False, "none"),
    "learned style": (False, "learned"),
    "attention": (True, "none"),
    "attention and its style": (True, "attention"),
}
# The paper's best row.
FIRST = {
    "attention": "attention and its style",
    "regulariser": 0.0,
    "projection": "random_fourier",
    "block_channels": 4,
    "latent": 343,
    "alignment": 1.0,
    "decoder": "dense",
    "learning_rate": 2.98e-3,
    "weight_decay": 0.0,
    "batch_size": 4,
}


def suggest(trial: Trial, experiment: Experiment) -> dict[str, Any]:
    """Vary the network, then training; the length of windows is the experiment's."""
    attention, style = _ATTENTION[trial.suggest_categorical("attention", list(_ATTENTION))]
    settings = {
        "model.attention": attention,
        "model.style": style,
        "model.attention_regulariser": trial.suggest_categorical("regulariser", [0.0, 1e-3, 1e-2]) if attention else 0.0,
        "model.projection": trial.suggest_categorical("projection", ["linear", "random_fourier"]),
        "model.block_channels": trial.suggest_categorical("block_channels", [2, 4, 8]),
        "model.latent": trial.suggest_categorical("latent", [64, 125, 216, 343]),
        "model.alignment": trial.suggest_categorical("alignment", [0.0, 0.3, 1.0]),
        "training.learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True),
        "training.weight_decay": trial.suggest_float("weight_decay", 0.0, 0.1),
        "training.batch_size": trial.suggest_categorical("batch_size", [4, 8, 16, 32]),
    }
    if experiment.preprocessing.bold.targets.kind == "voxels":
        settings["model.decoder"] = {"kind": trial.suggest_categorical("decoder", ["dense", "dct", "variational_dct"])}
    return settings
