"""Predictions that know their own windows stand out from those that do not, and chance alone seldom does."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.leak_alarm import KINDS, ROWS, Kind, chances, draw, leaking
from crossmodal.datasets.windows import WindowSet
from crossmodal.tasks.sensors.own_windows import OwnWindows, likeness, own_window_p

SMALL = Kind("24 windows of 1 s", length_s=1.0, n_sensors=10, n_sources=10)


def sliding(n_windows, n_times, hop):
    return WindowSet(np.zeros(n_windows, dtype=np.int64), hop * np.arange(n_windows), n_times, None)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_p_values_of_chance_are_not_smaller_than_they_say(kind):
    rng = np.random.default_rng(0)
    p = [p for _ in range(30) for p in chances(draw(kind, rng), {name: draw(kind, rng) for name in ROWS}).values()]
    for level in (0.2, 0.05, 0.01):
        assert np.sum(np.array(p) < level) <= stats.binom.ppf(0.999, len(p), level)


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_a_leak_into_some_windows_is_seen_as_one_into_all_is(share):
    rng = np.random.default_rng(1)
    truth_bst, predicted_bst = draw(SMALL, rng), draw(SMALL, rng)
    known = slice(0, round(share * len(truth_bst)))
    predicted_bst[known] = leaking(truth_bst[known], predicted_bst[known], 0.5)
    assert chances(truth_bst, {"leak": predicted_bst})["leak"] < 1e-6


def test_what_recurs_in_each_window_is_no_leak():
    rng = np.random.default_rng(2)
    truth_bst, noise_bst = draw(SMALL, rng), draw(SMALL, rng)
    response_st = draw(SMALL, rng)[0]
    mean_bst = np.broadcast_to(response_st, truth_bst.shape)
    p = chances(truth_bst + 5 * response_st, {"training mean": mean_bst, "evoked": noise_bst + 5 * response_st})
    assert min(p.values()) > 1e-3


def test_slow_drifts_that_last_for_many_windows_are_no_leak():
    rng = np.random.default_rng(3)
    times = np.arange(24 * 50) / (24 * 50)
    drifts = [np.outer(rng.standard_normal(10), np.sin(2 * np.pi * times)).reshape(10, 24, 50).transpose(1, 0, 2) for _ in range(2)]
    truth_bst, predicted_bst = (20 * drift + draw(SMALL, rng) for drift in drifts)
    assert chances(truth_bst, {"drift": predicted_bst})["drift"] > 1e-4


def test_a_few_large_artifacts_that_meet_by_chance_are_no_leak():
    rng = np.random.default_rng(4)
    truth_bst, predicted_bst = draw(SMALL, rng), draw(SMALL, rng)
    for y_bst in (truth_bst, predicted_bst):
        y_bst[[3, 9], :, 20:30] += 1000
    assert chances(truth_bst, {"artifact": predicted_bst})["artifact"] > 1e-3


def test_likeness_is_the_correlation_of_what_is_no_line():
    truth_bst, predicted_bst = np.random.default_rng(5).standard_normal((2, 4, 3, 20))
    lines = np.polynomial.polynomial.polyvander(np.arange(20), 1)

    def rest(y_st):
        return (y_st - (lines @ np.linalg.lstsq(lines, y_st.T, rcond=None)[0]).T).ravel()

    expected = [[np.corrcoef(rest(p_st), rest(y_st))[0, 1] for y_st in truth_bst] for p_st in predicted_bst]
    np.testing.assert_allclose(likeness(truth_bst, predicted_bst), expected, atol=1e-12)


def test_p_is_never_below_what_so_few_windows_can_tell():
    assert own_window_p([np.eye(8)]) == pytest.approx(8.0**-8, rel=0.9)
    assert own_window_p([-np.eye(8)]) == 1.0
    assert own_window_p([np.zeros((8, 8))]) == 1.0
    assert own_window_p([np.zeros((1, 1))]) == 1.0


@pytest.mark.parametrize("size", [1, 5, 24])
def test_batches_of_any_size_give_the_same_p(size):
    rng = np.random.default_rng(6)
    truth_bst, predicted_bst = draw(SMALL, rng), draw(SMALL, rng)
    own = OwnWindows(("mag",) * 6 + ("grad",) * 4, sliding(24, 50, hop=50))
    for first in range(0, 24, size):
        batch = np.arange(first, min(first + size, 24))
        own.add(batch, truth_bst[batch], {"ridge": predicted_bst[batch]})
    halves = [slice(0, 12), slice(12, 24)]
    blocks = []
    for half in halves:
        centred = [y_bst[half, :6] - y_bst[half, :6].mean(axis=0) for y_bst in (truth_bst, predicted_bst)]
        blocks.append(likeness(*centred))
    assert own.p("ridge", "mag") == pytest.approx(own_window_p(blocks), rel=1e-6)


def test_windows_that_overlap_do_not_count_as_many():
    rng = np.random.default_rng(7)
    truth_st, predicted_st = (y_bst.transpose(1, 0, 2).reshape(10, -1) for y_bst in (draw(SMALL, rng), draw(SMALL, rng)))
    tenth = sliding(231, 50, hop=5)
    truth_bst, predicted_bst = (np.array([y_st[:, start : start + 50] for start in tenth.start]) for y_st in (truth_st, predicted_st))
    apart = np.arange(0, 231, 10)
    p = []
    for windows, chosen in ((tenth, np.arange(231)), (sliding(24, 50, hop=50), apart)):
        own = OwnWindows(("mag",) * 10, windows)
        own.add(np.arange(len(windows)), truth_bst[chosen], {"ridge": predicted_bst[chosen]})
        p.append(own.p("ridge", "mag"))
    assert p[0] == p[1]
