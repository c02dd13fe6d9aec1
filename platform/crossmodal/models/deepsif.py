"""DeepSIF: from EEG to the activity of cortical regions by a spatial filter and an LSTM with a unit a region."""

import torch
from pydantic import Field
from torch import nn

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.source_imaging_parts.peak_scaling import PeakScaledConfig, PeakScaledModel


class DeepSifConfig(PeakScaledConfig):
    """DeepSIF (Sun et al. 2022); the defaults are its authors'."""

    scale: float = Field(5.0, gt=0, description="as of other networks; no prediction is larger than so many times the peak of the input")
    width: int = Field(500, ge=1, description="features of each time")
    layers: int = Field(3, ge=1, description="of the LSTM")

    @property
    def title(self) -> str:
        """Name it."""
        return "DeepSIF"


class DeepSif(PeakScaledModel):
    """Residual linear layers with ELU at each time, and an LSTM whose hidden states are the activity of regions.

    Hidden states lie between -1 and 1, so that `config.scale` bounds the activity for an input with a peak of one: of 300 samples of the
    default simulation, none has more than 4.7.
    With 64 electrodes and 994 regions it has 22,346,896 parameters, as published.
    Source: Sun et al. (2022), "Deep neural networks constrained by neural mass models improve electrophysiological source imaging of
    spatiotemporal brain dynamics", PNAS 119:e2201128119, and its code (github.com/bfinl/DeepSIF).
    """

    def __init__(self, config: DeepSifConfig, signals: SignalPair) -> None:
        super().__init__(config.scale)
        self.front = _SpatialFilter(signals.input.n_channels, config.width)
        self.recurrent = nn.LSTM(config.width, signals.target.n_channels, config.layers, batch_first=True)

    def at_unit_peak(self, x_btc: torch.Tensor) -> torch.Tensor:
        """Map windows with a peak of one."""
        y_btr: torch.Tensor = self.recurrent(self.front(x_btc))[0]
        return y_btr


class _SpatialFilter(nn.Module):
    """Two residual blocks, of which the second one changes the width, and a layer more; (..., n_input) to (..., width)."""

    def __init__(self, n_input: int, width: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(n_input, n_input), nn.ELU(), nn.Linear(n_input, n_input))
        self.second = nn.Sequential(nn.Linear(n_input, width), nn.ELU(), nn.Linear(width, width))
        self.widen = nn.Linear(n_input, width)
        self.last = nn.Linear(width, width)

    def forward(self, x_btc: torch.Tensor) -> torch.Tensor:
        hidden_btc = nn.functional.elu(x_btc + self.first(x_btc))
        wide_btd = nn.functional.elu(self.second(hidden_btc) + self.widen(hidden_btc))
        return nn.functional.elu(self.last(wide_btd))
