"""A decoder that knows how sure it is: distributions of the upper coefficients, and of each voxel."""

import math

import torch
from torch import nn

from crossmodal.config.signal_spec import SignalSpec
from crossmodal.models.calhas_parts.dct import InverseDct
from crossmodal.models.calhas_parts.decoders import Decoder, half
from crossmodal.models.calhas_parts.von_mises import divergence_from_uniform, expected_directions, sampled_directions
from crossmodal.models.voxel_box import VoxelBox


class VariationalDctDecoder(Decoder):
    """Lowest coefficients as in `DctDecoder`; those above are a linear map of angles, each of its own von Mises distribution.

    The paper names the distribution, 20 heads and a Laplacian likelihood. How they go together is decided here: a head is an angle, whose
    mean direction and concentration follow linearly from the latent vector. Training draws angles; predictions take the mean of their
    cosines and sines. The loss is the evidence lower bound (Kingma and Welling 2014) a voxel: the negative log likelihood of a Laplace
    distribution about each voxel, whose scale is learned voxel by voxel, and the divergence of all angles from uniform ones.

    Parameters
    ----------
    n_latent : int
    target : SignalSpec
        Of voxels.
    n_heads : int
    """

    order_v: torch.Tensor

    def __init__(self, n_latent: int, target: SignalSpec, n_heads: int) -> None:
        super().__init__()
        self.box = VoxelBox(target)
        shape, n_low = self.box.shape, half(self.box.shape)
        is_low = torch.zeros(shape, dtype=torch.bool)
        is_low[: n_low[0], : n_low[1], : n_low[2]] = True
        # Coefficients come with the lowest first; stable sorting tells the place of each in the box.
        order_v = is_low.flatten().argsort(descending=True, stable=True).argsort()
        self.register_buffer("order_v", order_v, persistent=False)
        self.low = nn.Linear(n_latent, math.prod(n_low))
        self.natural = nn.Linear(n_latent, 2 * n_heads)
        # It starts as the decoder without upper coefficients.
        self.high = nn.Linear(2 * n_heads, math.prod(shape) - math.prod(n_low), bias=False)
        nn.init.zeros_(self.high.weight)
        self.inverse = InverseDct(shape, shape)
        self.log_scale_s = nn.Parameter(torch.zeros(target.n_channels))

    def targets(self, z_bd: torch.Tensor) -> torch.Tensor:
        """Transform coefficients to the box, and take the targets out of it."""
        natural_bh2 = self._natural(z_bd)
        direction_bh2 = sampled_directions(natural_bh2) if self.training else expected_directions(natural_bh2)
        coefficient_bv = torch.cat([self.low(z_bd), self.high(direction_bh2.flatten(1))], dim=1)[:, self.order_v]
        return self.box.take(self.inverse(coefficient_bv.unflatten(1, self.box.shape)))

    def loss_terms(self, z_bd: torch.Tensor, y_bs: torch.Tensor) -> dict[str, torch.Tensor]:
        """Negative log likelihood, and divergence of the angles, in nats a voxel."""
        error_bs = (self(z_bd) - y_bs).abs()
        likelihood = (error_bs * (-self.log_scale_s).exp() + self.log_scale_s + math.log(2)).mean()
        divergence = divergence_from_uniform(self._natural(z_bd)).sum(1).mean() / y_bs.shape[1]
        return {"laplacian_nll": likelihood, "angle_divergence": divergence}

    def _natural(self, z_bd: torch.Tensor) -> torch.Tensor:
        """Natural parameters of all angles; Bessel functions of them exist in single precision."""
        natural_bh2: torch.Tensor = self.natural(z_bd).unflatten(1, (-1, 2)).float()
        return natural_bh2
