"""Successive halving that remembers the trials of earlier commands."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from optuna.trial import FrozenTrial
from ray.tune.experiment import Trial
from ray.tune.schedulers import ASHAScheduler

from crossmodal.config.tuning import Halving


@dataclass(frozen=True)
class _Earlier:
    trial_id: str


class HalvingScheduler(ASHAScheduler):
    """ASHA on the validation loss, with epochs as its time.

    What trials reported lies in the study, so the rungs are filled from there and not from a snapshot that Tune took some time
    before it was killed.

    Parameters
    ----------
    epochs : int
        A whole trial has, over all folds.
    earlier : sequence of FrozenTrial
        That ended; their intermediate values are negative validation losses by epoch.
    """

    def __init__(self, halving: Halving, epochs: int, earlier: Sequence[FrozenTrial]) -> None:
        super().__init__(
            time_attr="epoch",
            metric="validation_loss",
            mode="min",
            max_t=max(epochs, halving.grace_epochs) + 1,
            grace_period=halving.grace_epochs,
            reduction_factor=halving.reduction_factor,
            stop_last_trials=False,
        )
        for trial in earlier:
            known = cast(Trial, _Earlier(f"earlier-{trial.number}"))
            for epoch, negative_loss in sorted(trial.intermediate_values.items()):
                self._brackets[0].on_result(known, epoch, negative_loss)
