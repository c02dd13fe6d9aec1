"""What a search cost."""

from collections.abc import Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState


@dataclass(frozen=True)
class Cost:
    """Of all trials, those of earlier commands included.

    Attributes
    ----------
    core_hours, gpu_hours : float
        Processor cores, and GPUs, times the hours that trials held them.
    pruned_share : float
        Of the core-hours, what went into trials that were pruned.
    """

    core_hours: float
    gpu_hours: float
    pruned_share: float

    @classmethod
    def of(cls, trials: Sequence[FrozenTrial]) -> "Cost":
        """Add up what trials noted when they ended."""
        cores = {trial.number: trial.user_attrs.get("core_hours", 0.0) for trial in trials}
        total = sum(cores.values())
        pruned = sum(cores[trial.number] for trial in trials if trial.state == TrialState.PRUNED)
        gpu_hours = sum(trial.user_attrs.get("gpu_hours", 0.0) for trial in trials)
        return cls(total, gpu_hours, pruned / total if total else 0.0)
