"""A solver that makes its map from sensors to regions from each window's own covariance.

Shape suffixes: b batch, c channel, k direction, r region, t time.
"""

from abc import abstractmethod

import torch

from crossmodal.models.base import Model
from crossmodal.models.classical_parts.atoms import Atoms
from crossmodal.models.classical_parts.cortical_field import CorticalField
from crossmodal.models.classical_parts.type_variance import between, variance_of_types
from crossmodal.transforms.scaling import Normaliser

# V^2 or T^2, far below what any amplifier has: a window that is zero throughout has noise still, and is predicted to be silent.
_LEAST_VARIANCE = 1e-40


class WindowSolver(Model):
    """Estimates one subject's regions, in a basis of the directions that sensors can see.

    Parameters
    ----------
    seen : CorticalField or Atoms
        Its basis, in which the covariance of a window has full rank, and how many directions each type of channels has.
    normaliser : Normaliser
    """

    def __init__(self, seen: CorticalField | Atoms, normaliser: Normaliser) -> None:
        super().__init__()
        self.basis_kc, self.sizes, self.normaliser = seen.basis_kc, seen.sizes, normaliser

    @abstractmethod
    def region_map(self, covariance_bkk: torch.Tensor) -> torch.Tensor:
        """Give the map of each window, shape (batch, n_regions, n_directions), from its second moments over time, V^2."""

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict (batch, n_regions, n_times) in normalised units."""
        x_bkt = self.basis_kc @ self.normaliser.input.inverse(x_bct.double())
        covariance_bkk = x_bkt @ x_bkt.mT / x_bkt.shape[2]
        return self.normaliser.target.forward(self.region_map(covariance_bkk) @ x_bkt).float()


def noise_covariance(share: float, shape_kk: torch.Tensor, covariance_bkk: torch.Tensor, sizes: tuple[int, ...]) -> torch.Tensor:
    """Covariance of noise that has a share of each window's mean variance in each type of channels.

    Parameters
    ----------
    share : float
    shape_kk : Tensor, shape (n_directions, n_directions)
        Covariance of the noise, where it has a mean variance of one in each type.
    covariance_bkk : Tensor, shape (batch, n_directions, n_directions)
        Of the windows.
    sizes : tuple of int
        Number of directions of each type.
    """
    return share * between(variance_of_types(covariance_bkk, sizes).clamp_min(_LEAST_VARIANCE)) * shape_kk


def white_noise(share: float, covariance_bkk: torch.Tensor, sizes: tuple[int, ...]) -> torch.Tensor:
    """Do the same of white noise."""
    return noise_covariance(share, torch.eye(covariance_bkk.shape[1], dtype=covariance_bkk.dtype), covariance_bkk, sizes)
