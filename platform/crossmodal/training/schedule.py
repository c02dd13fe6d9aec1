"""The learning rate at each step, a function of the step alone so that a resume has nothing to restore."""

import math

from crossmodal.config.training import Training


def learning_rate(training: Training, step: int, steps_per_epoch: int) -> float:
    """Rise linearly over the warm-up, then stay, or fall as half a cosine that would reach 0 one step after the last.

    Parameters
    ----------
    step : int
        Counted from 0 over all epochs.
    """
    warmup = round(training.warmup_epochs * steps_per_epoch)
    if step < warmup:
        return training.learning_rate * (step + 1) / warmup
    if training.schedule == "constant":
        return training.learning_rate
    progress = (step - warmup) / max(1, training.epochs * steps_per_epoch - warmup)
    return training.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))
