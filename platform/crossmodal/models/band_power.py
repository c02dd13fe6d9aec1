"""A small network from band power over lags to volumes: a perceptron on the log power of each channel, band and bin."""

from typing import ClassVar

import torch
from pydantic import Field
from torch import nn

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Model, ModelConfig, Predicts
from crossmodal.models.running_scaling import RunningScaling
from crossmodal.transforms.band_power import LogBandPower

BANDS_HZ = {"delta": (1.0, 4.0), "theta": (4.0, 8.0), "alpha": (8.0, 13.0), "beta": (13.0, 30.0)}
BIN_S = 2.0


class BandPowerConfig(ModelConfig):
    """A perceptron on log band power over lags."""

    predicts: ClassVar[tuple[Predicts, ...]] = ("volumes",)

    bands_hz: dict[str, tuple[float, float]] = Field(default=BANDS_HZ, min_length=1)
    bin_s: float = Field(BIN_S, gt=0, description="power is taken over stretches of this length, which are the lags")
    width: int = Field(64, ge=1)
    depth: int = Field(1, ge=1, description="hidden layers")
    dropout: float = Field(0.5, ge=0, lt=1)

    @property
    def title(self) -> str:
        """Say what it reads and what it is."""
        return "band power network"


class BandPower(Model):
    """Log band power in successive bins of the window, standardised over training, then hidden layers with GELU and dropout.

    Source of the features: regularised linear models of BOLD from EEG take band power of each channel in ten bins of 2 s before a volume.
    """

    def __init__(self, config: BandPowerConfig, signals: SignalPair) -> None:
        super().__init__()
        self.power = LogBandPower(config.bands_hz, config.bin_s, signals.input.sfreq, signals.input.n_times)
        n_features = signals.input.n_channels * len(config.bands_hz) * self.power.n_bins
        self.scaling = RunningScaling(n_features)
        layers: list[nn.Module] = [nn.Dropout(config.dropout)]
        for n_in in (n_features, *[config.width] * (config.depth - 1)):
            layers += [nn.Linear(n_in, config.width), nn.GELU(), nn.Dropout(config.dropout)]
        self.perceptron = nn.Sequential(*layers, nn.Linear(config.width, signals.target.n_channels))

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict the volume after each window, shape (batch, n_target, 1)."""
        y_bs: torch.Tensor = self.perceptron(self.scaling(self.power(x_bct).flatten(1)))
        return y_bs[..., None]
