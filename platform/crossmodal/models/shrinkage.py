"""Shrinkage of predictions towards zero, the mean of training: by how much is chosen on validation subjects."""

from collections.abc import Iterable

import torch
from torch import nn


class Shrinkage(nn.Module):
    """Multiply each target's prediction by a gain between 0 and 1; before `fit` it is 1.

    A network says more of windows that it has learned than it knows of new subjects. Of a target that follows nothing in the input it
    has learned noise: there a gain near 0 is best.

    Parameters
    ----------
    n_targets : int

    Notes
    -----
    Source: Copas (1983), Regression, prediction and shrinkage, J. R. Stat. Soc. B 45:311-354. The gain is the slope of the truth on its
    prediction, through zero, on data that are new to the predictor.
    """

    gain_s: torch.Tensor

    def __init__(self, n_targets: int) -> None:
        super().__init__()
        self.register_buffer("gain_s", torch.ones(n_targets))

    def forward(self, y_bst: torch.Tensor) -> torch.Tensor:
        """Shrink predictions of shape (batch, n_targets, n_times), in a model's units."""
        return y_bst * self.gain_s[:, None]

    def fit(self, windows: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> None:
        """Choose the gains with the least squared error.

        Parameters
        ----------
        windows : iterable of (Tensor, Tensor)
            Predictions that are not shrunk yet, and truth, both of shape (batch, n_targets, n_times), of subjects that did not train.
        """
        product_s, square_s = torch.zeros(2, *self.gain_s.shape, dtype=torch.float64, device=self.gain_s.device)
        for predicted_bst, truth_bst in windows:
            product_s += (predicted_bst.double() * truth_bst).sum((0, 2))
            square_s += predicted_bst.double().square().sum((0, 2))
        self.gain_s.copy_(torch.where(square_s > 0, product_s / square_s, 0.0).clamp(0, 1))
