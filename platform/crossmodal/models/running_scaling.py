"""Standardise features by the mean and deviation of all that was seen in training."""

import torch
from torch import nn


class RunningScaling(nn.Module):
    """Subtract each feature's mean over all training batches so far, and divide by its deviation.

    Unlike batch normalisation it takes batches of any size, one window included, and no window of a batch influences another beyond that.

    Parameters
    ----------
    n_features : int
    pareto : bool
        Divide by the square root of the deviation instead, so that features which vary more keep some of their lead; their variance is one
        on average.

    Notes
    -----
    Source of Pareto scaling: van den Berg et al. (2006), Centering, scaling, and transformations: improving the biological information
    content of metabolomics data, BMC Genomics 7:142.
    """

    n_windows: torch.Tensor
    mean_p: torch.Tensor
    deviation_sq_p: torch.Tensor

    def __init__(self, n_features: int, pareto: bool = False) -> None:
        super().__init__()
        self.pareto = pareto
        self.register_buffer("n_windows", torch.zeros(()))
        self.register_buffer("mean_p", torch.zeros(n_features))
        self.register_buffer("deviation_sq_p", torch.zeros(n_features))

    def forward(self, x_bp: torch.Tensor) -> torch.Tensor:
        """Scale features of shape (batch, n_features); what never varied is only centred."""
        if self.training:
            self._take_in(x_bp.detach())
        variance_p = self.deviation_sq_p / self.n_windows.clamp_min(1)
        deviation_p = torch.where(variance_p > 0, variance_p, 1.0).sqrt()
        if self.pareto:
            deviation_p = (deviation_p * deviation_p.mean()).sqrt()
        return (x_bp - self.mean_p) / deviation_p

    def _take_in(self, x_bp: torch.Tensor) -> None:
        """Merge a batch's moments (Chan, Golub and LeVeque 1979)."""
        n_windows, mean_p = self.n_windows + len(x_bp), x_bp.mean(0)
        difference_p = mean_p - self.mean_p
        within_p = (x_bp - mean_p).square().sum(0)
        self.deviation_sq_p += within_p + difference_p.square() * (self.n_windows * len(x_bp) / n_windows)
        self.mean_p += difference_p * (len(x_bp) / n_windows)
        self.n_windows.copy_(n_windows)
