"""What a night tells of each model of a search over several."""

from datetime import datetime

import pytest
from optuna.trial import FrozenTrial, TrialState

from crossmodal.nightly.models_board import models_board


def trial(number, kind, score=None, state=TrialState.COMPLETE):
    scores = [["01", (score or 0) - 0.1], ["02", (score or 0) + 0.1]]
    ended = None if state == TrialState.RUNNING else datetime(2026, 3, 1)
    return FrozenTrial(
        number=number,
        state=state,
        value=score,
        datetime_start=datetime(2026, 3, 1),
        datetime_complete=ended,
        params={},
        distributions={},
        user_attrs={"overrides": {"model": {"kind": kind}} if kind else {}, "scores": scores},
        system_attrs={},
        intermediate_values={},
        trial_id=number,
    )


def test_the_best_trial_of_each_model_stands_in_order_and_none_is_forgotten():
    trials = [
        trial(0, "band_power", 0.3),
        trial(1, "bricman_fc", state=TrialState.FAIL),
        trial(2, "source_power", 0.5),
        trial(3, "band_power", 0.4),
        trial(4, "band_power", state=TrialState.PRUNED),
        trial(5, "calhas", state=TrialState.RUNNING),
    ]
    board = models_board(trials, trials[2])
    assert [(row.model, row.trials) for row in board] == [
        ("source_power", "1 finished"),
        ("band_power", "2 finished, 1 pruned"),
        ("bricman_fc", "1 failed"),
        ("calhas", "none ended"),
    ]
    ours, power, *without = board
    assert (ours.best.role, power.best.role) == ("winner", "trial")
    assert power.best.name == "trial 3, band_power: band power network"
    assert (power.best.mean, power.best.n) == (0.4, 2)
    assert power.best.low < 0.3 < 0.5 < power.best.high
    assert [row.best for row in without] == [None, None]


def test_a_search_of_one_model_has_no_such_board():
    assert models_board([trial(0, "", 0.3)], trial(0, "", 0.3)) == ()


def test_one_subject_makes_no_interval():
    one = trial(0, "calhas", 0.3)
    one.set_user_attr("scores", [["01", 0.3]])
    (row,) = models_board([one], one)
    assert (row.best.low, row.best.high, row.best.n) == (None, None, 1)
    assert row.best.mean == pytest.approx(0.3)
