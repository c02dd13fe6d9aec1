"""Convolutions that refine a volume."""

import torch
from torch import nn

from crossmodal.models.voxel_box import VoxelBox


class VolumeConvolutions(nn.Module):
    """Convolutions over the box of the voxels, each after an ELU; the box is zero where it holds no target.

    Parameters
    ----------
    box : VoxelBox
        Where targets lie.
    channels : tuple of int
        Of the hidden volumes.
    kernel : int
        Odd.
    """

    def __init__(self, box: VoxelBox, channels: tuple[int, ...], kernel: int) -> None:
        super().__init__()
        self.box = box
        pairs = zip((1, *channels), (*channels, 1), strict=True)
        self.convolutions = nn.Sequential(
            *(nn.Sequential(nn.ELU(), nn.Conv3d(n_in, n_out, kernel, padding=kernel // 2)) for n_in, n_out in pairs)
        )

    def forward(self, y_bs: torch.Tensor) -> torch.Tensor:
        """Refine voxels of shape (batch, n_target)."""
        return self.box.take(self.convolutions(self.box.fill(y_bs)[:, None])[:, 0])
