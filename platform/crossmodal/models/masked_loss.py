"""A squared error that counts the brain alone."""

import torch

from crossmodal.config.signal_spec import SignalSpec, Voxels
from crossmodal.models.base import Model
from crossmodal.physics.places import Places


class MaskedModel(Model):
    """A model whose loss is the squared error inside the brain, as the term `masked_mse`.

    Parameters
    ----------
    target : SignalSpec
        Its space tells which voxels are brain; regions all are.
    """

    mask_s: torch.Tensor

    def __init__(self, target: SignalSpec) -> None:
        super().__init__()
        self.register_buffer("mask_s", brain_mask(target), persistent=False)

    def loss_terms(self, x_bct: torch.Tensor, y_bst: torch.Tensor, places: Places | None = None) -> dict[str, torch.Tensor]:
        """Squared error over the brain."""
        return {"masked_mse": masked_squared_error(self.run(x_bct, places), y_bst, self.mask_s)}


def brain_mask(target: SignalSpec) -> torch.Tensor:
    """1 for targets in the brain, 0 for the others, shape (n_target,)."""
    if not isinstance(target.space, Voxels):
        return torch.ones(target.n_channels)
    return torch.from_numpy(target.space.brain)[[int(name) for name in target.names]].float()


def masked_squared_error(predicted_bst: torch.Tensor, y_bst: torch.Tensor, mask_s: torch.Tensor) -> torch.Tensor:
    """Sum of the squared masked error over the sum of the mask, each over the batch (loss of Bricman and Borst's code), a scalar."""
    mask_bst = mask_s[:, None].expand_as(y_bst)
    return (mask_bst * (predicted_bst - y_bst)).square().sum() / mask_bst.sum()
