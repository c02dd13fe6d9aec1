"""From EEG to the activity of cortical regions, one time at a time: what a network tells without the course of the signal."""

import itertools

import torch
from pydantic import Field
from torch import nn

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.source_imaging_parts.peak_scaling import PeakScaledConfig, PeakScaledModel


class PointwiseMlpConfig(PeakScaledConfig):
    """A multi-layer perceptron that sees a single time."""

    widths: tuple[int, ...] = Field((256, 256), min_length=1, description="of the hidden layers")
    dropout: float = Field(0.0, ge=0, lt=1)

    @property
    def title(self) -> str:
        """Name it."""
        return "pointwise MLP"


class PointwiseMlp(PeakScaledModel):
    """Hidden layers with ReLU and a linear one, the same at all times: what recurrent networks gain over it comes from the course."""

    def __init__(self, config: PointwiseMlpConfig, signals: SignalPair) -> None:
        super().__init__(config.scale)
        layers: list[nn.Module] = []
        for n_in, n_out in itertools.pairwise((signals.input.n_channels, *config.widths)):
            layers += [nn.Linear(n_in, n_out), nn.ReLU(), nn.Dropout(config.dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(config.widths[-1], signals.target.n_channels))

    def at_unit_peak(self, x_btc: torch.Tensor) -> torch.Tensor:
        """Map windows with a peak of one."""
        y_btr: torch.Tensor = self.layers(x_btc)
        return y_btr
