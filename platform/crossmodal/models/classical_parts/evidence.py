"""The likelihood of a window's covariance under the variances of atoms, and how it changes with each.

Shape suffixes: b batch, k direction, a atom, p packed symmetric matrix.
"""

from typing import NamedTuple

import torch

from crossmodal.models.classical_parts.packed import packed, unpacked


class Evidence(NamedTuple):
    """What Champagne's rule is made of; M_a are second moments of an atom's field, C is the window's covariance, S the model's.

    Attributes
    ----------
    inverse_bkk : Tensor, shape (batch, n_directions, n_directions)
        S^-1.
    power_ba : Tensor, shape (batch, n_atoms)
        tr(M_a S^-1 C S^-1): what the window has of the atom.
    sensitivity_ba : Tensor, shape (batch, n_atoms)
        tr(M_a S^-1): the same where the model were true.
    """

    inverse_bkk: torch.Tensor
    power_ba: torch.Tensor
    sensitivity_ba: torch.Tensor


def model_inverse(variance_ba: torch.Tensor, products_ap: torch.Tensor, noise_bkk: torch.Tensor) -> torch.Tensor:
    """Inverse of S = sum_a v_a M_a + noise."""
    return torch.linalg.inv(unpacked(variance_ba @ products_ap) + noise_bkk)


def evidence(variance_ba: torch.Tensor, products_ap: torch.Tensor, noise_bkk: torch.Tensor, covariance_bkk: torch.Tensor) -> Evidence:
    """Compare a window's covariance with the model's, from the side of each atom."""
    inverse_bkk = model_inverse(variance_ba, products_ap, noise_bkk)
    power_ba = packed(inverse_bkk @ covariance_bkk @ inverse_bkk) @ products_ap.T
    return Evidence(inverse_bkk, power_ba, packed(inverse_bkk) @ products_ap.T)


def first_variance(covariance_bkk: torch.Tensor, products_ap: torch.Tensor) -> torch.Tensor:
    """Variances that are the same for all atoms, which together explain a window's power, shape (batch, n_atoms)."""
    total_b1 = covariance_bkk.diagonal(dim1=1, dim2=2).sum(1, keepdim=True)
    return (total_b1 / unpacked(products_ap.sum(0)).trace()).expand(-1, len(products_ap))
