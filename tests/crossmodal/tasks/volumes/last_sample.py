"""A network that takes what the first electrodes recorded last for what regions do."""

from typing import ClassVar

import torch
from torch import nn

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Model, ModelConfig, Predicts


class LastSampleConfig(ModelConfig):
    """Nothing to set."""

    predicts: ClassVar[tuple[Predicts, ...]] = ("volumes",)
    title: ClassVar[str] = "last sample"


class LastSample(Model):
    """One weight for all regions."""

    def __init__(self, config: LastSampleConfig, signals: SignalPair) -> None:
        super().__init__()
        self.n_target = signals.target.n_channels
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        return self.weight * x_bct[:, : self.n_target, -1:]
