"""The box of voxels around a target's mask, for networks that see or make volumes."""

import math

import numpy as np
import torch
from torch import nn

from crossmodal.config.signal_spec import SignalSpec, Voxels


class VoxelBox(nn.Module):
    """The smallest box of an image's grid that holds all target voxels, and the way between a list of targets and the box.

    Parameters
    ----------
    target : SignalSpec
        Its space is `Voxels`.

    Attributes
    ----------
    shape : tuple of int
        Voxels along each axis of the grid.
    """

    position_s: torch.Tensor

    def __init__(self, target: SignalSpec) -> None:
        super().__init__()
        assert isinstance(target.space, Voxels)
        voxels_s3 = np.argwhere(target.space.mask)[[int(name) for name in target.names]]
        first, last = voxels_s3.min(0), voxels_s3.max(0)
        width, depth, height = (last - first + 1).tolist()
        self.shape = (width, depth, height)
        position_s = np.ravel_multi_index(tuple((voxels_s3 - first).T), self.shape)
        self.register_buffer("position_s", torch.from_numpy(position_s), persistent=False)

    def fill(self, y_bs: torch.Tensor) -> torch.Tensor:
        """Put targets, shape (batch, n_target), where they lie, shape (batch, *shape); all else is zero."""
        box_bv = y_bs.new_zeros(len(y_bs), math.prod(self.shape))
        return box_bv.index_copy(1, self.position_s, y_bs).unflatten(1, self.shape)

    def take(self, box_bxyz: torch.Tensor) -> torch.Tensor:
        """Take the targets, shape (batch, n_target), out of a box, shape (batch, *shape)."""
        return box_bxyz.flatten(1)[:, self.position_s]
