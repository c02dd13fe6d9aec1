"""What training adds to its input, so that a network does not hold on to what recordings differ in."""

import torch

from crossmodal.config.training import Augmentation


def augmented(x_bct: torch.Tensor, augmentation: Augmentation) -> torch.Tensor:
    """Add a constant to each channel of each window, and white noise, drawn from torch's generator; nothing is drawn where both are 0."""
    if augmentation.offset:
        x_bct = x_bct + augmentation.offset * torch.randn(*x_bct.shape[:2], 1, device=x_bct.device)
    if augmentation.noise:
        # In place: fresh memory for long windows costs more than the noise itself.
        x_bct = torch.randn_like(x_bct).mul_(augmentation.noise).add_(x_bct)
    return x_bct
