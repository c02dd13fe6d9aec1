"""A solver that makes its map from electrodes to regions from each window's own covariance.

Shape suffixes: b batch, c electrode, k direction, r region, t time.
"""

from abc import abstractmethod

import torch

from crossmodal.models.base import Model
from crossmodal.transforms.scaling import Normaliser

# V^2, far below what any amplifier has: a window that is zero throughout has noise still, and is predicted to be silent.
_LEAST_VARIANCE = 1e-40


class WindowSolver(Model):
    """Estimates one subject's regions, in a basis of the directions that electrodes can see.

    Parameters
    ----------
    basis_kc : Tensor, shape (n_directions, n_electrodes)
        Orthonormal rows, in which the covariance of a window has full rank.
    normaliser : Normaliser
    """

    def __init__(self, basis_kc: torch.Tensor, normaliser: Normaliser) -> None:
        super().__init__()
        self.basis_kc, self.normaliser = basis_kc, normaliser

    @abstractmethod
    def region_map(self, covariance_bkk: torch.Tensor) -> torch.Tensor:
        """Give the map of each window, shape (batch, n_regions, n_directions), from its second moments over time, V^2."""

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict (batch, n_regions, n_times) in normalised units."""
        x_bkt = self.basis_kc @ self.normaliser.input.inverse(x_bct.double())
        covariance_bkk = x_bkt @ x_bkt.mT / x_bkt.shape[2]
        return self.normaliser.target.forward(self.region_map(covariance_bkk) @ x_bkt).float()


def white_noise(share: float, covariance_bkk: torch.Tensor) -> torch.Tensor:
    """Covariance of white noise that has a share of each window's mean variance, shape (batch, n_directions, n_directions)."""
    variance_b11 = covariance_bkk.diagonal(dim1=1, dim2=2).mean(1)[:, None, None].clamp_min(_LEAST_VARIANCE)
    return share * variance_b11 * torch.eye(covariance_bkk.shape[1], dtype=covariance_bkk.dtype)
