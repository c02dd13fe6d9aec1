"""Where a fold's training stands."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from pydantic import Field

from crossmodal.config import Config
from crossmodal.training.partial import PartialEpoch


class EpochMetrics(Config):
    """What one epoch gave; losses are in the model's normalised units.

    Attributes
    ----------
    validation_metric : float or None
        What chooses the epoch, where that is not the validation loss; higher is better.
    loss_terms, validation_terms : dict of str to float
        The terms that each loss is the sum of, where there are several.
    """

    epoch: int
    loss: float
    validation_loss: float
    validation_metric: float | None = None
    loss_terms: dict[str, float] = Field(default_factory=dict)
    validation_terms: dict[str, float] = Field(default_factory=dict)
    learning_rate: float
    seconds: float
    windows_per_s: float

    @property
    def badness(self) -> float:
        """What the best epoch has least of: the validation metric, turned round, where there is one, or else the validation loss."""
        return self.validation_loss if self.validation_metric is None else -self.validation_metric

    def named(self) -> dict[str, float]:
        """All numbers but that of the epoch, by the names that MLflow shows; a term of a loss is told after a slash."""
        numbers: dict[str, float] = self.model_dump(exclude={"epoch", "loss_terms", "validation_terms"}, exclude_none=True)
        numbers |= {f"loss/{term}": value for term, value in self.loss_terms.items()}
        return numbers | {f"validation_loss/{term}": value for term, value in self.validation_terms.items()}


@dataclass
class TrainingState:
    """All that training goes on from.

    Random numbers of an epoch are drawn from a seed made of the experiment's seed, the epoch and the rank, and the learning
    rate depends on the step and the history alone: between epochs, neither has a state to keep.

    Attributes
    ----------
    weights, best_weights : dict of str to Tensor
        Of the last step, and of the best epoch.
    optimiser : dict
        Its state_dict.
    history : list of EpochMetrics
        One an epoch, from the first.
    partial : PartialEpoch, optional
        The epoch after those, where workers had to leave in its middle.
    """

    weights: dict[str, torch.Tensor] = field(default_factory=dict)
    best_weights: dict[str, torch.Tensor] = field(default_factory=dict)
    optimiser: dict[str, Any] = field(default_factory=dict)
    history: list[EpochMetrics] = field(default_factory=list)
    partial: PartialEpoch | None = None

    @property
    def epochs(self) -> int:
        """How many epochs are done."""
        return len(self.history)

    @property
    def best(self) -> EpochMetrics:
        """The epoch whose weights are kept."""
        return best_epoch(self.history)


def best_epoch(history: Sequence[EpochMetrics]) -> EpochMetrics:
    """The first epoch with the highest validation metric where there is one, or else with the lowest validation loss."""
    return min(history, key=lambda metrics: metrics.badness)
