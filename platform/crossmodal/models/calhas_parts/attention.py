"""Attention among electrodes, from which a style of the latent vector may follow (Calhas and Henriques, arXiv 2203.03481)."""

import torch
from torch import nn

_SMALLEST_SUM = 1e-9


class TopographicalAttention(nn.Module):
    """Each electrode becomes a weighted mean of all.

    With an electrode's spectra X in a row, a learned matrix A of the same shape, and W = softmax(X A^T) over the last axis, unscaled, the
    output is W X.

    Parameters
    ----------
    n_channels : int
        Electrodes.
    n_features : int
        Frequencies times TRs.
    """

    def __init__(self, n_channels: int, n_features: int) -> None:
        super().__init__()
        self.key_cp = nn.Parameter(nn.init.xavier_uniform_(torch.empty(n_channels, n_features)))

    def forward(self, x_bcfm: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Attend.

        Parameters
        ----------
        x_bcfm : Tensor, shape (batch, electrodes, frequencies, TRs)

        Returns
        -------
        attended_bcfm : Tensor, as `x_bcfm`
        weight_bcc : Tensor, shape (batch, electrodes, electrodes)
            Each row sums to one.
        """
        x_bcp = x_bcfm.flatten(2)
        weight_bcc = torch.softmax(x_bcp @ self.key_cp.T, dim=-1)
        return (weight_bcc @ x_bcp).view_as(x_bcfm), weight_bcc


def neglect(weight_bcc: torch.Tensor) -> torch.Tensor:
    """Penalty on electrodes that nobody attends to, a scalar: -sum_j log(sum_i W_ij + 1e-9), averaged over the batch."""
    return -(weight_bcc.sum(dim=1) + _SMALLEST_SUM).log().sum(dim=1).mean()
