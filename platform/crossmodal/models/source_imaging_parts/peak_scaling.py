"""Show a network each window at a peak of one, and bring what it says back to the window's scale.

Shape suffixes: b batch, c input channel, r target region, t time.
"""

from abc import abstractmethod

import torch
from pydantic import Field

from crossmodal.models.base import Model, ModelConfig
from crossmodal.physics.places import Places


class PeakScaledConfig(ModelConfig):
    """What networks that see windows at a peak of one have in common."""

    scale: float = Field(
        2.0, gt=0, description="a network's output of one is so many units of the target, where the input has a peak of one of its units"
    )


class PeakScaledModel(Model):
    """A network whose prediction grows with its input: half the EEG is half the activity.

    Published networks see EEG divided by the peak of its window, learn targets that are divided by theirs, and so lose how strong sources
    are. Here the peak of the input is multiplied back. The loss weighs windows as the published one does: each at a target peak of one.

    Parameters
    ----------
    scale : float
        The target per peak of the input that an output of one stands for.
    """

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    @abstractmethod
    def at_unit_peak(self, x_btc: torch.Tensor) -> torch.Tensor:
        """Map windows with a peak of one, shape (batch, n_times, n_input), to (batch, n_times, n_target)."""

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict (batch, n_target, n_times)."""
        peak_b11 = _peak(x_bct)
        return self.scale * peak_b11 * self.at_unit_peak(_divided(x_bct, peak_b11).mT).mT

    def loss_terms(self, x_bct: torch.Tensor, y_bst: torch.Tensor, places: Places | None = None) -> dict[str, torch.Tensor]:
        """Mean squared error where the target of each window has a peak of one."""
        return {"mse": _divided(self(x_bct) - y_bst, _peak(y_bst)).square().mean()}


def _peak(windows_bct: torch.Tensor) -> torch.Tensor:
    """Largest absolute value of each window, shape (batch, 1, 1)."""
    return windows_bct.abs().amax((1, 2), keepdim=True)


def _divided(windows_bct: torch.Tensor, peak_b11: torch.Tensor) -> torch.Tensor:
    """Windows over their peaks; as they are where the peak is zero."""
    return windows_bct / torch.where(peak_b11 > 0, peak_b11, 1.0)
