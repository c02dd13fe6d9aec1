"""Predictive intervals: how far off a model says that it may be, and by which factor that held on validation subjects.

Shape suffixes: b batch, n window, s target, t time.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from crossmodal.transforms.otsu import above_otsu

# Share of new values that an interval is to hold.
LEVEL = 0.9


@dataclass(frozen=True)
class Bounds:
    """Ends of the interval around each prediction, shape (batch, n_targets, n_times)."""

    lower_bst: torch.Tensor
    upper_bst: torch.Tensor


class Intervals(nn.Module):
    """Half-widths of intervals, which `fit` sets on validation subjects; before it they are deviations as the model gives them.

    Parameters
    ----------
    n_targets : int

    Notes
    -----
    Source: split conformal prediction with normalised residuals, Lei et al. (2018), Distribution-free predictive inference for regression,
    J. Am. Stat. Assoc. 113:1094-1111, section 5.2. Its guarantee is for windows that can be exchanged; those of one scan depend on each
    other and people differ, so coverage is measured on test subjects, and not taken for granted.
    """

    factor: torch.Tensor
    constant_s: torch.Tensor

    def __init__(self, n_targets: int) -> None:
        super().__init__()
        self.register_buffer("factor", torch.ones(()))
        self.register_buffer("constant_s", torch.ones(n_targets))

    def forward(self, predicted_bst: torch.Tensor, deviation_bst: torch.Tensor) -> tuple[Bounds, Bounds]:
        """Intervals whose width follows the model's deviation, and ones of constant width, to compare with."""
        own_bst, constant_bst = self.factor * deviation_bst, self.constant_s[:, None].expand_as(predicted_bst)
        return Bounds(predicted_bst - own_bst, predicted_bst + own_bst), Bounds(predicted_bst - constant_bst, predicted_bst + constant_bst)

    def counted(self, predicted_bst: torch.Tensor) -> torch.Tensor:
        """Targets of each window over which the factor is set, bool, shape (batch, n_targets); here all."""
        return torch.ones(predicted_bst.shape[:2], dtype=torch.bool, device=predicted_bst.device)

    def fit(self, windows: Iterable[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]) -> None:
        """Widen until intervals hold their share: one factor for all targets, and a constant half-width for each.

        Parameters
        ----------
        windows : iterable of (Tensor, Tensor, Tensor)
            Predictions, deviations and truth, each of shape (batch, n_targets, n_times), of subjects that did not train.
        """
        errors, ratios = [], []
        for predicted_bst, deviation_bst, truth_bst in windows:
            error_bst = (truth_bst - predicted_bst).abs()
            errors.append(error_bst.transpose(1, 2).flatten(0, 1))
            ratios.append((error_bst / deviation_bst)[self.counted(predicted_bst)].flatten())
        self.factor.copy_(_upper_quantile(torch.cat(ratios)))
        self.constant_s.copy_(_upper_quantile(torch.cat(errors)))


class ActiveIntervals(Intervals):
    """Intervals that are to hold their share over the targets that a model calls active: of silent ones, any interval holds nearly all."""

    def counted(self, predicted_bst: torch.Tensor) -> torch.Tensor:
        """Targets whose root mean square over times is above Otsu's threshold of the window."""
        rms_bs = predicted_bst.square().mean(2).sqrt().cpu().numpy()
        return torch.from_numpy(above_otsu(rms_bs)).to(predicted_bst.device)


def _upper_quantile(values_n: torch.Tensor) -> torch.Tensor:
    """The least value that a new one is below with probability `LEVEL`, over the first axis; the largest where there are too few."""
    rank = min(math.ceil((len(values_n) + 1) * LEVEL), len(values_n))
    return values_n.kthvalue(rank, dim=0).values
