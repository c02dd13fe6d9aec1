"""Bunny: LightBunny's larger relative, which reads and writes each region's course by segments."""

import torch
from pydantic import Field
from torch import nn

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.source_imaging_parts.peak_scaling import PeakScaledConfig, PeakScaledModel
from crossmodal.models.source_imaging_parts.residual_linear import ResidualLinear, initialise
from crossmodal.models.source_imaging_parts.segment_rnn import SegmentRNN


class BunnyConfig(PeakScaledConfig):
    """Bunny (Hwang et al. 2024); the defaults are its authors'."""

    width: int = Field(256, ge=2, multiple_of=2, description="features of each time, and of each segment")
    segment: int = Field(25, ge=1, description="samples")
    dropout: float = Field(0.2, ge=0, lt=1)

    @property
    def title(self) -> str:
        """Name it."""
        return "Bunny"


class Bunny(PeakScaledModel):
    """Residual linear layers at each time, a GRU with a unit a region, and SegRNN over the course of each region.

    With 64 electrodes, 994 regions and 500 times it has 4,316,849 parameters, as published. Source: as LightBunny's.
    """

    def __init__(self, config: BunnyConfig, signals: SignalPair) -> None:
        super().__init__(config.scale)
        n_regions = signals.target.n_channels
        self.front = ResidualLinear(signals.input.n_channels, config.width)
        self.recurrent = nn.GRU(config.width, n_regions, batch_first=True)
        self.courses = SegmentRNN(n_regions, signals.target.n_times, config.segment, config.width, config.dropout)
        self.apply(initialise)

    def at_unit_peak(self, x_btc: torch.Tensor) -> torch.Tensor:
        """Map windows with a peak of one."""
        y_brt: torch.Tensor = self.courses(self.recurrent(self.front(x_btc))[0].mT)
        return y_brt.mT
