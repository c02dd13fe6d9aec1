"""The trivial predictor: what the training targets are on average."""

from dataclasses import dataclass
from typing import Self

import torch

from crossmodal.config.models import TrainingMeanConfig
from crossmodal.models.base import Baseline, Shapes, Statistics


@dataclass
class TargetSum:
    """Number of windows and the sum of their targets, shape (n_target, n_times)."""

    n_windows: int
    sum_st: torch.Tensor

    def accumulate(self, x_bct: torch.Tensor, y_bst: torch.Tensor) -> None:
        """Take in a batch of windows."""
        self.n_windows += len(y_bst)
        self.sum_st = self.sum_st + y_bst.double().sum(0)

    def __add__(self, other: Self) -> "TargetSum":
        return TargetSum(self.n_windows + other.n_windows, self.sum_st + other.sum_st)


class TrainingMean(Baseline):
    """Mean of the training targets per sensor and time in the window, whatever the source shows."""

    mean_st: torch.Tensor

    def __init__(self, config: TrainingMeanConfig, shapes: Shapes) -> None:
        super().__init__()
        self.register_buffer("mean_st", torch.zeros(shapes.n_target, shapes.n_times))

    def new_statistics(self) -> TargetSum:
        """Sum over no window yet."""
        return TargetSum(0, torch.zeros(self.mean_st.shape, dtype=torch.float64))

    def solve(self, training: Statistics, validation: Statistics) -> None:
        """Take the mean over training windows; there is nothing to choose."""
        assert isinstance(training, TargetSum)
        self.mean_st = (training.sum_st / training.n_windows).float()

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict the same for every window."""
        return self.mean_st.expand(len(x_bct), -1, -1)
