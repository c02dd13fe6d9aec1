"""A small network from sensors to cortical regions: a linear inverse at each time, and a correction by convolutions over time."""

import torch
from pydantic import Field
from torch import nn

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Model, ModelConfig


class SourceNetConfig(ModelConfig):
    """Convolutions over time and a layer per time."""

    width: int = Field(64, ge=1, description="hidden channels")
    layers: int = Field(2, ge=1, description="convolutions over time")
    taps: int = Field(7, ge=1, description="length of each filter in samples")
    dropout: float = Field(0.0, ge=0, lt=1)

    @property
    def title(self) -> str:
        """Name the network."""
        return "source net"


class SourceNet(Model):
    """Adds what its convolutions say to a linear map, which is the same at all times.

    The linear map is what a classical inverse solution learns from a lead field. Convolutions tell waveforms from noise, and by their
    non-linearity, a few active regions from many.
    """

    def __init__(self, config: SourceNetConfig, signals: SignalPair) -> None:
        super().__init__()
        n_input, n_target = signals.input.n_channels, signals.target.n_channels
        self.inverse = nn.Conv1d(n_input, n_target, 1)
        layers: list[nn.Module] = []
        for n_in in (n_input, *[config.width] * (config.layers - 1)):
            layers += [nn.Conv1d(n_in, config.width, config.taps, padding="same"), nn.GELU(), nn.Dropout(config.dropout)]
        self.correction = nn.Sequential(*layers, nn.Conv1d(config.width, n_target, 1))

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict (batch, n_target, n_times)."""
        y_bst: torch.Tensor = self.inverse(x_bct) + self.correction(x_bct)
        return y_bst
