"""The learning rate at each step, a function of the step and of the epochs before it alone, so that a resume has nothing to restore."""

import math
from collections.abc import Sequence

import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

from crossmodal.config.training import Training
from crossmodal.training.state import EpochMetrics

_FALL = 0.1


def learning_rate(training: Training, highest: float, step: int, steps_per_epoch: int) -> float:
    """Rise linearly over the warm-up, then stay, or fall as half a cosine that would reach 0 one step after the last.

    Parameters
    ----------
    highest : float
        From `highest_rate`.
    step : int
        Counted from 0 over all epochs.
    """
    warmup = round(training.warmup_epochs * steps_per_epoch)
    if step < warmup:
        return highest * (step + 1) / warmup
    if training.schedule != "cosine":
        return highest
    progress = (step - warmup) / max(1, training.epochs * steps_per_epoch - warmup)
    return highest * 0.5 * (1 + math.cos(math.pi * progress))


def highest_rate(training: Training, history: Sequence[EpochMetrics]) -> float:
    """The rate that an epoch's steps begin from: on a plateau, tenfold lower each time that validation stood still for too long.

    Parameters
    ----------
    history : sequence of EpochMetrics
        The epochs before.
    """
    if training.schedule != "plateau":
        return training.learning_rate
    optimiser = torch.optim.SGD([torch.zeros(())], training.learning_rate)
    scheduler = ReduceLROnPlateau(optimiser, factor=_FALL, patience=training.plateau_epochs, threshold=0.0, eps=0.0)
    for metrics in history:
        scheduler.step(metrics.badness)
    return float(optimiser.param_groups[0]["lr"])
