"""The trivial predictor: what the training targets are on average."""

from dataclasses import dataclass
from typing import ClassVar, Self

import torch

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Baseline, ModelConfig, Predicts, Statistics


class TrainingMeanConfig(ModelConfig):
    """The mean of the training targets per sensor and epoch time."""

    predicts: ClassVar[tuple[Predicts, ...]] = ("signals", "volumes")

    @property
    def title(self) -> str:
        """Name the trivial predictor."""
        return "training mean"


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
    """Mean of the training targets per sensor and time in the window, whatever the input shows.

    The mean of n windows is off by 1/n of the variance, and against it a model that predicts nothing at all would seem to
    explain that much. So what differs between times in the window counts as far as validation windows bear it out: fully for a
    response to events, hardly where windows slide over ongoing activity.
    """

    mean_st: torch.Tensor

    def __init__(self, config: TrainingMeanConfig, signals: SignalPair) -> None:
        super().__init__()
        self.register_buffer("mean_st", torch.zeros(signals.target.n_channels, signals.target.n_times))

    def new_statistics(self) -> TargetSum:
        """Sum over no window yet."""
        return TargetSum(0, torch.zeros(self.mean_st.shape, dtype=torch.float64))

    def solve(self, training: Statistics, validation: Statistics) -> None:
        """Take the mean over training windows, and of its course over time the share that fits validation windows best."""
        assert isinstance(training, TargetSum)
        assert isinstance(validation, TargetSum)
        (level_s1, course_st), (_, observed_st) = (
            _level_and_course(targets.sum_st / targets.n_windows) for targets in (training, validation)
        )
        share = (course_st * observed_st).sum() / course_st.square().sum().clamp_min(torch.finfo(torch.float64).tiny)
        self.mean_st = (level_s1 + share.clamp(0, 1) * course_st).float()

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict the same for every window."""
        return self.mean_st.expand(len(x_bct), -1, -1)


def _level_and_course(mean_st: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A sensor's mean over time, and how the mean at each time departs from it."""
    level_s1 = mean_st.mean(dim=1, keepdim=True)
    return level_s1, mean_st - level_s1
