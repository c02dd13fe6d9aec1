"""What LightBunny and Bunny have in common: a front at each time, a recurrent layer with a unit a region, and a network over courses."""

import torch
from torch import nn

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.source_imaging_parts.peak_scaling import PeakScaledModel
from crossmodal.models.source_imaging_parts.residual_linear import ResidualLinear


class RegionCourses(PeakScaledModel):
    """Residual linear layers at each time, a GRU with a unit a region, and what a subclass has as `courses` of all regions.

    Parameters
    ----------
    scale : float
        As of `PeakScaledModel`.
    width : int
        Features of each time.
    signals : SignalPair
    """

    courses: nn.Module

    def __init__(self, scale: float, width: int, signals: SignalPair) -> None:
        super().__init__(scale)
        self.front = ResidualLinear(signals.input.n_channels, width)
        self.recurrent = nn.GRU(width, signals.target.n_channels, batch_first=True)

    def at_unit_peak(self, x_btc: torch.Tensor) -> torch.Tensor:
        """Map windows with a peak of one."""
        y_brt: torch.Tensor = self.courses(self.recurrent(self.front(x_btc))[0].mT)
        return y_brt.mT
