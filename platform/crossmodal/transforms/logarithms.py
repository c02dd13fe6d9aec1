"""Logarithms that are defined for every value, and count what they had to clip."""

import torch
from torch import nn

# A value at the lower end itself may come out this much below it in float32.
_ROUNDING = 1e-6


class Log1p(nn.Module):
    """log(1 + x) of what is zero or more; what is less is taken for zero, and counted.

    Attributes
    ----------
    clipped : int
        Values below zero so far.
    """

    def __init__(self) -> None:
        super().__init__()
        self.clipped = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Transform any shape, without unit."""
        self.clipped += int((x < -_ROUNDING).sum())
        return x.clamp_min(0).log1p()

    def inverse(self, y: torch.Tensor) -> torch.Tensor:
        """Undo `forward` where nothing was clipped."""
        return y.expm1()


class Log(nn.Module):
    """Natural logarithm of what is a floor or more; what is less is taken for the floor, and counted.

    Parameters
    ----------
    floor : float
        Least value that is told apart from zero, above zero.

    Attributes
    ----------
    clipped : int
        Values below the floor so far.
    """

    def __init__(self, floor: float) -> None:
        super().__init__()
        assert floor > 0
        self.floor = floor
        self.clipped = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Transform any shape, in the floor's unit."""
        self.clipped += int((x < self.floor * (1 - _ROUNDING)).sum())
        return x.clamp_min(self.floor).log()

    def inverse(self, y: torch.Tensor) -> torch.Tensor:
        """Undo `forward` where nothing was clipped."""
        return y.exp()
