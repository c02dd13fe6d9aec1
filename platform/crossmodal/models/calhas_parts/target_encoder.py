"""The encoder of BOLD, which the latent vector of the EEG is aligned with in training."""

import torch
from torch import nn

from crossmodal.config.signal_spec import SignalSpec
from crossmodal.models.calhas_parts.res_blocks import PaperBlock, ResEncoder
from crossmodal.models.voxel_box import VoxelBox

# Of volumes of 64 x 64 x 30.
_BLOCKS = (
    PaperBlock(size=(64, 64, 30), kernel=(14, 6, 12), stride=(2, 1, 1)),
    PaperBlock(size=(25, 58, 18), kernel=(6, 4, 6), stride=(1, 1, 1)),
    PaperBlock(size=(19, 54, 12), kernel=(12, 47, 5), stride=(1, 1, 1)),
)
_POOL = (2, 2, 2)


class VolumeEncoder(nn.Module):
    """Residual blocks over the box of the target voxels, zero elsewhere, scaled to its size.

    Parameters
    ----------
    target : SignalSpec
        Of voxels.
    n_channels : int
        Of every block.
    n_latent : int
    """

    def __init__(self, target: SignalSpec, n_channels: int, n_latent: int) -> None:
        super().__init__()
        self.box = VoxelBox(target)
        self.encoder = ResEncoder(self.box.shape, _BLOCKS, _POOL, n_channels, n_latent)

    def forward(self, y_bs: torch.Tensor) -> torch.Tensor:
        """Encode (batch, n_target) as (batch, n_latent)."""
        z_bd: torch.Tensor = self.encoder(self.box.fill(y_bs))
        return z_bd


def build_target_encoder(target: SignalSpec, n_channels: int, n_latent: int, dropout: float) -> nn.Module:
    """Build what encodes a target: of voxels a `VolumeEncoder`, of regions, which lie on no grid, a linear map."""
    is_volume = target.space.kind == "voxels"
    encoder = VolumeEncoder(target, n_channels, n_latent) if is_volume else nn.Linear(target.n_channels, n_latent)
    return nn.Sequential(encoder, nn.Dropout(dropout))
