"""Metrics that may choose the epoch: sums over windows of a subject, from which its figure follows, in a model's units."""

from collections.abc import Callable
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class EpochMetric:
    """A figure of a subject that follows from sums over its windows; higher is better.

    Attributes
    ----------
    sums : callable
        From truth and prediction of some windows, shape (batch, targets, times), to what is summed, shape (k,).
    value : callable
        From summed rows, shape (subjects, k), to a figure a subject.
    """

    sums: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    value: Callable[[torch.Tensor], torch.Tensor]


def explained_variance() -> EpochMetric:
    """1 - SSE / SS about zero, over all targets and times in normalised units: zero is the mean of the training recordings there."""

    def sums(y_bst: torch.Tensor, predicted_bst: torch.Tensor) -> torch.Tensor:
        return torch.stack([(y_bst - predicted_bst).square().sum(), y_bst.square().sum()])

    return EpochMetric(sums, lambda sums_gk: 1 - sums_gk[:, 0] / sums_gk[:, 1])


def temporal_r() -> EpochMetric:
    """Pearson correlation over windows and times of each target, averaged over targets; a constant prediction follows nothing: 0."""

    def sums(y_bst: torch.Tensor, predicted_bst: torch.Tensor) -> torch.Tensor:
        moments = [y_bst, predicted_bst, y_bst.square(), predicted_bst.square(), y_bst * predicted_bst, torch.ones_like(y_bst)]
        return torch.stack([moment.sum((0, 2)) for moment in moments]).flatten()

    def value(sums_gk: torch.Tensor) -> torch.Tensor:
        y, p, yy, pp, yp, n = sums_gk.unflatten(1, (6, -1)).unbind(1)
        variances = (yy - y * y / n).clamp_min(0) * (pp - p * p / n).clamp_min(0)
        r_gs = (yp - y * p / n) / variances.sqrt()
        return torch.where(variances > 0, r_gs, 0.0).mean(1)

    return EpochMetric(sums, value)
