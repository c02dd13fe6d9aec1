"""A5: each rule stops, and none stops early."""

import pytest
from optuna.trial import TrialState, create_trial

from crossmodal.config.tuning import StopRules
from crossmodal.tuning.cost import Cost
from crossmodal.tuning.stop import Stop, chance_of_a_new_winner


def trials(*ends):
    """Trials by their scores; None is pruned, a string another state."""
    made = []
    for number, end in enumerate(ends):
        state = TrialState.PRUNED if end is None else TrialState[end] if isinstance(end, str) else TrialState.COMPLETE
        trial = create_trial(
            state=state, value=end if isinstance(end, float) else None, user_attrs={"gpu_hours": 0.5, "core_hours": 1.0 if end else 3.0}
        )
        trial.number = number
        made.append(trial)
    return made


def test_the_chance_falls_with_each_trial_in_vain_and_rises_with_a_new_winner():
    assert chance_of_a_new_winner(trials(None, "FAIL")) == 1
    assert chance_of_a_new_winner(trials(0.5)) == 1 / 2
    assert chance_of_a_new_winner(trials(0.5, 0.4, None, "FAIL", "RUNNING")) == 1 / 4
    assert chance_of_a_new_winner(trials(0.5, 0.4, None, 0.6)) == 1 / 2


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (StopRules(trials=3), "3 trials were run"),
        (StopRules(wall_hours=1e-9), "1e-09 hours have passed"),
        (StopRules(gpu_hours=1.5), "1.50 GPU-hours were spent"),
        (StopRules(chance=0.25), "another trial changes the winner with a chance of 0.250"),
    ],
)
def test_each_rule_says_why_it_stops(rules, reason):
    stop = Stop(rules)
    assert stop(trials(0.5, 0.4, None, "WAITING")[:3])
    assert stop.reason == reason


def test_nothing_stops_before_its_rule_holds():
    stop = Stop(StopRules(trials=4, wall_hours=1, gpu_hours=1.6, chance=0.2))
    assert not stop(trials(0.5, 0.4, None, "WAITING"))
    assert not stop.reason


def test_cost_tells_what_pruned_trials_wasted():
    cost = Cost.of(trials(0.5, 0.4, None))
    assert (cost.core_hours, cost.gpu_hours, cost.pruned_share) == (5.0, 1.5, 0.6)
    assert Cost.of([]).pruned_share == 0
