"""LightBunny: from EEG to the activity of cortical regions by a recurrent layer and a light network over time."""

import torch
from pydantic import Field
from torch import nn

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.source_imaging_parts.light_ts import LightTS
from crossmodal.models.source_imaging_parts.peak_scaling import PeakScaledConfig, PeakScaledModel
from crossmodal.models.source_imaging_parts.residual_linear import ResidualLinear, initialise


class LightBunnyConfig(PeakScaledConfig):
    """LightBunny (Hwang et al. 2024); the defaults are its authors'."""

    width: int = Field(256, ge=16, multiple_of=16, description="features of each time")
    chunk: int = Field(25, ge=1, description="samples that are seen together")

    @property
    def title(self) -> str:
        """Name it."""
        return "LightBunny"


class LightBunny(PeakScaledModel):
    """Residual linear layers at each time, a GRU with a unit a region, and LightTS over the courses of all regions.

    With 64 electrodes, 994 regions and 500 times it has 5,064,360 parameters, as published.
    Source: Hwang, Eo, Lee and Park (2024), "Electrophysical Source Imaging based on the Spatiotemporal Neural Network", KOSOMBE, and its
    code (github.com/hareeen/LightBunny).
    """

    def __init__(self, config: LightBunnyConfig, signals: SignalPair) -> None:
        super().__init__(config.scale)
        n_regions = signals.target.n_channels
        self.front = ResidualLinear(signals.input.n_channels, config.width)
        self.recurrent = nn.GRU(config.width, n_regions, batch_first=True)
        self.courses = LightTS(n_regions, signals.target.n_times, config.chunk, config.width // 2)
        self.apply(initialise)

    def at_unit_peak(self, x_btc: torch.Tensor) -> torch.Tensor:
        """Map windows with a peak of one."""
        y_brt: torch.Tensor = self.courses(self.recurrent(self.front(x_btc))[0].mT)
        return y_brt.mT
