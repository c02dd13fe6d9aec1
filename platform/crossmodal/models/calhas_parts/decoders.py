"""From the latent vector to all voxels or regions (Calhas and Henriques, arXiv 2203.03481)."""

import math
from abc import ABC, abstractmethod

import torch
from torch import nn

from crossmodal.config.signal_spec import SignalSpec
from crossmodal.models.calhas_parts.dct import InverseDct
from crossmodal.models.calhas_parts.res_blocks import Size
from crossmodal.models.voxel_box import VoxelBox


class Decoder(nn.Module, ABC):
    """Makes targets of latent vectors, with one gain and offset for all at the end.

    Those are the paper's convolution of 1 x 1 x 1, which is of the whole image; voxels outside the mask have neither a truth nor an effect
    on others.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pointwise = nn.Conv1d(1, 1, 1)

    @abstractmethod
    def targets(self, z_bd: torch.Tensor) -> torch.Tensor:
        """Decode (batch, n_latent) to (batch, n_target), before gain and offset."""

    def forward(self, z_bd: torch.Tensor) -> torch.Tensor:
        """Decode (batch, n_latent) to (batch, n_target)."""
        y_bs: torch.Tensor = self.pointwise(self.targets(z_bd)[:, None])[:, 0]
        return y_bs

    def loss_terms(self, z_bd: torch.Tensor, y_bs: torch.Tensor) -> dict[str, torch.Tensor]:
        """Compare what latent vectors decode to with the truth, shape (batch, n_target): here the mean absolute error."""
        return {"mae": nn.functional.l1_loss(self(z_bd), y_bs)}


class DenseDecoder(Decoder):
    """A linear map to all targets, whether they are voxels or regions."""

    def __init__(self, n_latent: int, n_targets: int) -> None:
        super().__init__()
        self.linear = nn.Linear(n_latent, n_targets)

    def targets(self, z_bd: torch.Tensor) -> torch.Tensor:
        """Give each target a weight for each latent number."""
        y_bs: torch.Tensor = self.linear(z_bd)
        return y_bs


class DctDecoder(Decoder):
    """A linear map to the lowest coefficients of the box around all targets, half of them along each axis, and the inverse transform."""

    def __init__(self, n_latent: int, target: SignalSpec) -> None:
        super().__init__()
        self.box = VoxelBox(target)
        self.n_low = half(self.box.shape)
        self.linear = nn.Linear(n_latent, math.prod(self.n_low))
        self.inverse = InverseDct(self.box.shape, self.n_low)

    def targets(self, z_bd: torch.Tensor) -> torch.Tensor:
        """Transform coefficients to the box, and take the targets out of it."""
        return self.box.take(self.inverse(self.linear(z_bd).unflatten(1, self.n_low)))


def half(shape: Size) -> Size:
    """Half of the coefficients along each axis, rounded up."""
    width, depth, height = ((n_voxels + 1) // 2 for n_voxels in shape)
    return width, depth, height
