"""Random Fourier features (Rahimi and Recht 2007) of a latent vector."""

import math

import torch
from torch import nn


class RandomFourierFeatures(nn.Module):
    """cos(LayerNorm(x W / sigma + b)), W of N(0, 1) and b uniform over the circle, both fixed; sigma is learned.

    Without the layer norm, 2 / n_out times the product of the features of x and y estimates exp(-|x - y|^2 / (2 sigma^2)). With it, which
    is the way of Calhas and Henriques (arXiv 2203.03481), angles of a vector have mean and deviation pi / 2, neither learned.

    Parameters
    ----------
    n_in, n_out : int
    layer_norm : bool
    """

    weight_io: torch.Tensor
    bias_o: torch.Tensor

    def __init__(self, n_in: int, n_out: int, layer_norm: bool = True) -> None:
        super().__init__()
        self.register_buffer("weight_io", torch.randn(n_in, n_out))
        self.register_buffer("bias_o", 2 * math.pi * torch.rand(n_out))
        self.sigma = nn.Parameter(torch.tensor(math.sqrt(n_in / 2)))
        self.layer_norm = layer_norm

    def forward(self, x_bi: torch.Tensor) -> torch.Tensor:
        """Transform (batch, n_in) to (batch, n_out)."""
        angle_bo = x_bi @ self.weight_io / self.sigma + self.bias_o
        if self.layer_norm:
            angle_bo = math.pi / 2 * (nn.functional.layer_norm(angle_bo, angle_bo.shape[-1:]) + 1)
        return angle_bo.cos()
