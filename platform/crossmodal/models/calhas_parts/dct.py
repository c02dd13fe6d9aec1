"""Inverse discrete cosine transform of a box of voxels from its lowest coefficients."""

import math

import torch
from torch import nn

from crossmodal.models.calhas_parts.res_blocks import Size


class InverseDct(nn.Module):
    """Orthonormal inverse of the DCT-II along three axes; coefficients that are not given are zero.

    It is `scipy.fft.idctn(coefficients, norm="ortho")` of the given ones padded with zeros.

    Parameters
    ----------
    shape : tuple of int
        Of the box.
    n_coefficients : tuple of int
        Given along each axis, from the lowest; at most as many as voxels.
    """

    basis_xi: torch.Tensor
    basis_yj: torch.Tensor
    basis_zk: torch.Tensor

    def __init__(self, shape: Size, n_coefficients: Size) -> None:
        super().__init__()
        for name, n_voxels, n_lowest in zip(("basis_xi", "basis_yj", "basis_zk"), shape, n_coefficients, strict=True):
            self.register_buffer(name, _basis(n_voxels, n_lowest), persistent=False)

    def forward(self, coefficient_bijk: torch.Tensor) -> torch.Tensor:
        """Transform (batch, *n_coefficients) to (batch, *shape)."""
        box_bijz = coefficient_bijk @ self.basis_zk.T
        box_biyz = torch.einsum("bijz,yj->biyz", box_bijz, self.basis_yj)
        return torch.einsum("biyz,xi->bxyz", box_biyz, self.basis_xi)


def _basis(n_voxels: int, n_lowest: int) -> torch.Tensor:
    """Values of the lowest cosines at each voxel, shape (n_voxels, n_lowest); each of norm one."""
    place_x = torch.arange(n_voxels, dtype=torch.float64) + 0.5
    basis_xi = math.sqrt(2 / n_voxels) * torch.cos(math.pi / n_voxels * torch.outer(place_x, torch.arange(n_lowest, dtype=torch.float64)))
    basis_xi[:, 0] /= math.sqrt(2)
    return basis_xi.float()
