"""Angles of a von Mises distribution, given by its natural parameters kappa (cos mu, sin mu), shape (..., 2)."""

import math

import torch

_SMALLEST = 1e-6
_GRID_ANGLES = 257


def expected_directions(natural_h2: torch.Tensor) -> torch.Tensor:
    """Mean of (cos, sin) of the angle, shape (..., 2): I1(kappa) / I0(kappa) times the mean direction (Mardia and Jupp 2000, 3.5)."""
    kappa_h1 = _concentrations(natural_h2)[..., None]
    return torch.special.i1e(kappa_h1) / torch.special.i0e(kappa_h1) * natural_h2 / kappa_h1


def sampled_directions(natural_h2: torch.Tensor) -> torch.Tensor:
    """(cos, sin) of drawn angles, shape (..., 2), through which gradients flow to the parameters.

    The distribution function is inverted by linear interpolation between 257 angles, whose values depend on the concentration.
    """
    kappa_h = _concentrations(natural_h2)
    angle_g = torch.linspace(-math.pi, math.pi, _GRID_ANGLES, device=kappa_h.device)
    density_hg = (kappa_h[..., None] * (angle_g.cos() - 1)).exp()
    below_hg = torch.cumulative_trapezoid(density_hg)
    share_hg = torch.nn.functional.pad(below_hg / below_hg[..., -1:], (1, 0))
    drawn_h1 = torch.rand_like(kappa_h)[..., None].clamp_min(_SMALLEST)
    upper_h1 = torch.searchsorted(share_hg.detach(), drawn_h1).clamp(1, _GRID_ANGLES - 1)
    share_before_h1, share_after_h1 = share_hg.gather(-1, upper_h1 - 1), share_hg.gather(-1, upper_h1)
    between_h1 = (drawn_h1 - share_before_h1) / (share_after_h1 - share_before_h1).clamp_min(_SMALLEST**2)
    turn_h1 = angle_g[upper_h1 - 1] + between_h1 * (angle_g[1] - angle_g[0])
    cos_h1, sin_h1 = (natural_h2 / kappa_h[..., None]).chunk(2, dim=-1)
    return torch.cat([cos_h1 * turn_h1.cos() - sin_h1 * turn_h1.sin(), sin_h1 * turn_h1.cos() + cos_h1 * turn_h1.sin()], dim=-1)


def divergence_from_uniform(natural_h2: torch.Tensor) -> torch.Tensor:
    """Kullback-Leibler divergence from a uniform angle, nats, shape (...): kappa I1(kappa) / I0(kappa) - log I0(kappa)."""
    kappa_h = _concentrations(natural_h2)
    i0e_h = torch.special.i0e(kappa_h)
    return kappa_h * torch.special.i1e(kappa_h) / i0e_h - i0e_h.log() - kappa_h


def _concentrations(natural_h2: torch.Tensor) -> torch.Tensor:
    """Kappa, never zero, so that the direction is defined."""
    return (natural_h2.square().sum(-1) + _SMALLEST**2).sqrt()
