"""A volume as a sequence of tokens: its slices, or groups of regions."""

import math

import torch
from torch import nn

from crossmodal.config.signal_spec import SignalSpec, Voxels
from crossmodal.models.voxel_box import VoxelBox


class Slices(nn.Module):
    """Between targets and tokens.

    Voxels are cut along the first axis of their box, zero where it holds no target: 53 slices of 63 x 52 in the grid of Bricman and Borst.
    Regions have no slices; neighbours in the atlas's order are a token, the last one filled up with zeros.

    Attributes
    ----------
    n_tokens, n_values : int
        Values a token.
    filled_kv : Tensor, shape (n_tokens, n_values)
        1 where a token holds a target, 0 elsewhere.
    """

    filled_kv: torch.Tensor

    def __init__(self, target: SignalSpec, regions_per_token: int) -> None:
        super().__init__()
        self.box = VoxelBox(target) if isinstance(target.space, Voxels) else None
        self.n_targets = target.n_channels
        if self.box is not None:
            self.n_tokens, self.n_values = self.box.shape[0], math.prod(self.box.shape[1:])
        else:
            self.n_tokens, self.n_values = math.ceil(target.n_channels / regions_per_token), regions_per_token
        self.register_buffer("filled_kv", self.cut(torch.ones(1, self.n_targets))[0], persistent=False)

    def cut(self, y_bs: torch.Tensor) -> torch.Tensor:
        """Cut targets, shape (batch, n_targets), into tokens, shape (batch, n_tokens, n_values)."""
        if self.box is not None:
            return self.box.fill(y_bs).flatten(2)
        missing = self.n_tokens * self.n_values - self.n_targets
        return nn.functional.pad(y_bs, (0, missing)).unflatten(1, (self.n_tokens, self.n_values))

    def join(self, tokens_bkv: torch.Tensor) -> torch.Tensor:
        """Take targets, shape (batch, n_targets), out of tokens, shape (batch, n_tokens, n_values)."""
        return tokens_bkv.flatten(1)[:, : self.n_targets] if self.box is None else self.box.take(tokens_bkv)
