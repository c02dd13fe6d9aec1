"""The predictor that says nothing."""

from dataclasses import dataclass
from typing import ClassVar, Self

import torch

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Baseline, ModelConfig, Predicts, Statistics


class ZeroConfig(ModelConfig):
    """No activity at all."""

    predicts: ClassVar[tuple[Predicts, ...]] = ("signals", "volumes")

    @property
    def title(self) -> str:
        """Name it."""
        return "zero"


@dataclass
class Nothing:
    """Statistics of a baseline that learns nothing."""

    def accumulate(self, x_bct: torch.Tensor, y_bst: torch.Tensor) -> None:
        """Learn nothing from a batch."""

    def __add__(self, other: Self) -> "Nothing":
        return self


class Zero(Baseline):
    """Predicts zero in normalised units, whatever the input shows."""

    def __init__(self, config: ZeroConfig, signals: SignalPair) -> None:
        super().__init__()
        self.n_target, self.n_times = signals.target.n_channels, signals.target.n_times

    def new_statistics(self) -> Nothing:
        """Need none."""
        return Nothing()

    def solve(self, training: Statistics, validation: Statistics) -> None:
        """Learn nothing."""

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict no activity of any target."""
        return x_bct.new_zeros(len(x_bct), self.n_target, self.n_times)
