"""Batch normalisation that takes a batch of one window."""

import torch
from torch import nn


class BatchNorm(nn.BatchNorm1d):
    """Normalises features over a batch, or by the running statistics where there is one value a feature, which has no deviation.

    The last batch of an epoch may be a single window, which torch's own layers refuse.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Normalise (batch, n_features, ...), over times or volumes where there are any."""
        if self.training and input.numel() == self.num_features:
            return nn.functional.batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return super().forward(input)

    def _check_input_dim(self, input: torch.Tensor) -> None:
        assert input.shape[1] == self.num_features, "features are the second axis"
