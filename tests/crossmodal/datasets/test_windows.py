"""Windows lie whole inside their parts and touch nothing masked."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossmodal.config import UserError
from crossmodal.config.data import EpochWindows, FixedSplit, LeakyWindows, Part, SlidingWindows
from crossmodal.datasets.folds import make_folds
from crossmodal.datasets.windows import make_windows


@pytest.fixture(scope="module")
def split_of_one():
    return FixedSplit(train=(Part(subject="01", start_s=1, stop_s=7),), validation=("02",), test=("03",))


@pytest.fixture
def three(dataset, make_recording):
    good = np.ones(1000, dtype=bool)
    good[300:310] = False
    return dataset(replace(make_recording("01"), good=good), make_recording("02"), make_recording("03"))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(length_s=st.floats(0.01, 1.9), hop_s=st.floats(0.01, 5))
def test_sliding_windows_stay_inside_and_miss_no_place(three, split_of_one, length_s, hop_s):
    manifest, shards = three
    (fold,) = make_folds(split_of_one, manifest)
    windows = make_windows(shards, fold, "train", SlidingWindows(length_s=length_s, hop_s=hop_s), seed=0)
    n_times, hop = max(round(length_s * 100), 1), max(round(hop_s * 100), 1)
    expected = [start for start in range(100, 700 - n_times + 1, hop) if start + n_times <= 300 or start >= 310]
    assert windows.n_times == n_times
    assert windows.start.tolist() == expected
    assert set(windows.shard_index.tolist()) == {0}


def test_epochs_are_locked_to_events_of_the_conditions_asked_for(three, split_of_one):
    manifest, shards = three
    (fold,) = make_folds(split_of_one, manifest)
    settings = EpochWindows(tmin_s=-0.2, tmax_s=0.5, baseline_s=(-0.2, 0.0), conditions=("Famous",))
    windows = make_windows(shards, fold, "validation", settings, seed=0)
    assert windows.start.tolist() == [80, 380, 680]
    assert windows.n_times == 71
    assert windows.baseline == slice(0, 21)


def test_a_leaky_fold_deals_every_window_once(three):
    manifest, shards = three
    (fold,) = make_folds(LeakyWindows(), manifest)
    sliding = SlidingWindows(length_s=0.5, hop_s=0.25)
    roles = [make_windows(shards, fold, role, sliding, seed=3) for role in ("train", "validation", "test")]
    dealt = [pair for windows in roles for pair in zip(windows.shard_index.tolist(), windows.start.tolist(), strict=True)]
    assert len(dealt) == len(set(dealt)) == 39 * 3 - 2
    assert {len(set(windows.shard_index.tolist())) for windows in roles} == {3}


def test_windows_longer_than_the_recordings_are_refused(three, split_of_one):
    manifest, shards = three
    (fold,) = make_folds(split_of_one, manifest)
    with pytest.raises(
        UserError, match="fold fixed: no window of 20 s without bad segments is in the train recordings; change data.windows"
    ):
        make_windows(shards, fold, "train", SlidingWindows(length_s=20, hop_s=1), seed=0)


def test_a_condition_that_no_event_has_is_named(three, split_of_one):
    manifest, shards = three
    (fold,) = make_folds(split_of_one, manifest)
    with pytest.raises(UserError, match=r"conditions: 'Familiar' is not among the events; there are Famous, Scrambled"):
        make_windows(shards, fold, "train", EpochWindows(conditions=("Famous", "Familiar")), seed=0)


def test_windows_left_out_for_bad_segments_are_told(three, split_of_one, caplog):
    manifest, shards = three
    (fold,) = make_folds(split_of_one, manifest)
    with caplog.at_level("INFO"):
        make_windows(shards, fold, "train", SlidingWindows(length_s=1, hop_s=1), seed=0)
    assert "sub-01 run 01: 1 of 6 windows touch bad segments and are left out" in caplog.text


@pytest.mark.parametrize("settings", [{"tmin_s": 1, "tmax_s": 1}, {"baseline_s": (-1, 0)}, {"baseline_s": (0, -0.1)}])
def test_epochs_that_make_no_sense_are_refused(settings):
    with pytest.raises(ValueError, match="must"):
        EpochWindows(**settings)
