"""When no further trial is begun."""

import time
from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState

from crossmodal.config.tuning import StopRules
from crossmodal.tuning.study import begun, best_trial


class Stop:
    """The stop rules of one search, whose clock runs from now.

    Attributes
    ----------
    reason : str
        Why the search stopped, or nothing.
    """

    def __init__(self, rules: StopRules) -> None:
        self._rules = rules
        self._started = time.time()
        self.reason = ""

    def __call__(self, trials: Sequence[FrozenTrial]) -> bool:
        """Tell whether no further trial should be begun, given those of the whole study."""
        rules, known = self._rules, begun(list(trials))
        gpu_hours = sum(trial.user_attrs.get("gpu_hours", 0.0) for trial in known)
        chance = chance_of_a_new_winner(known)
        if len(known) >= rules.trials:
            self.reason = f"{len(known)} trials were run"
        elif rules.wall_hours is not None and time.time() - self._started >= rules.wall_hours * 3600:
            self.reason = f"{rules.wall_hours:g} hours have passed"
        elif rules.gpu_hours is not None and gpu_hours >= rules.gpu_hours:
            self.reason = f"{gpu_hours:.2f} GPU-hours were spent"
        elif rules.chance is not None and chance <= rules.chance:
            self.reason = f"another trial changes the winner with a chance of {chance:.3f}"
        return bool(self.reason)


def chance_of_a_new_winner(trials: Sequence[FrozenTrial]) -> float:
    """Chance that the next trial beats the best so far: Laplace's rule of succession over the trials since.

    After m trials in vain, with nothing known before of how often one succeeds, the next succeeds with chance 1 / (m + 2)
    (Laplace 1814; the mean of a Beta(1, m + 1)). Pruned trials count as in vain, failed and running ones not at all.
    """
    winner = best_trial(list(trials))
    if winner is None:
        return 1.0
    ended = (TrialState.COMPLETE, TrialState.PRUNED)
    return 1 / (2 + sum(trial.state in ended and trial.number > winner.number for trial in trials))
