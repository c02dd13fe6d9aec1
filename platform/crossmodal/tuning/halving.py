"""Successive halving that remembers the trials of earlier commands."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, cast

from optuna.trial import FrozenTrial
from ray.tune.experiment import Trial
from ray.tune.schedulers import ASHAScheduler

from crossmodal.config.tuning import Halving
from crossmodal.tuning.space import chosen_model


@dataclass(frozen=True)
class _Earlier:
    trial_id: str


class HalvingScheduler(ASHAScheduler):
    """ASHA on the validation loss, with epochs as its time.

    What trials reported lies in the study, so the rungs are filled from there and not from a snapshot that Tune took some time
    before it was killed. Trials are compared with those of the same model alone: losses of others are of other kinds.

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
        self._of_model: dict[str, Any] = {}
        for trial in earlier:
            known = cast(Trial, _Earlier(f"earlier-{trial.number}"))
            bracket = self._bracket(trial.user_attrs.get("overrides", {}))
            for epoch, negative_loss in sorted(trial.intermediate_values.items()):
                bracket.on_result(known, epoch, negative_loss)

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        """Put a trial into the bracket of its model."""
        super().on_trial_add(tune_controller, trial)
        self._trial_info[trial.trial_id] = self._bracket(trial.config["overrides"])

    def _bracket(self, overrides: Mapping[str, Any]) -> Any:
        """Where trials of one model are compared; the scheduler's own bracket stays empty, and each is made like it."""
        model = chosen_model(overrides)
        if model not in self._of_model:
            self._of_model[model] = deepcopy(self._brackets[0])
        return self._of_model[model]
