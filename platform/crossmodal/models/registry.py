"""Which class a config's `kind` builds."""

from typing import Any

from crossmodal.config.models import ModelConfig
from crossmodal.models.aim import Aim
from crossmodal.models.base import Model, Shapes
from crossmodal.models.minimum_norm import MinimumNorm
from crossmodal.models.ridge import Ridge
from crossmodal.models.synaptech_net import SynaptechNet
from crossmodal.models.training_mean import TrainingMean

MODELS: dict[str, type[Any]] = {
    "synaptech_net": SynaptechNet,
    "aim": Aim,
    "training_mean": TrainingMean,
    "ridge": Ridge,
    "minimum_norm": MinimumNorm,
}


def build_model(config: ModelConfig, shapes: Shapes) -> Model:
    """Build the model or baseline that a config names, for data of these shapes."""
    model: Model = MODELS[config.kind](config, shapes)
    return model
