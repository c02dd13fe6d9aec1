"""Volumes are paired on their markers, or not at all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmodal.config import UserError
from preprocessing.steps.volume_markers import pair_volumes


def pair(marker_s, n_volumes, tr_s=2.0, dummy_volumes=None):
    times = np.asarray(marker_s, dtype=np.float64)
    return pair_volumes(times, n_volumes, tr_s, duration_s=700.0, dummy_volumes=dummy_volumes, called="run")


@given(
    first_s=st.floats(0, 500),
    n_volumes=st.integers(1, 60),
    before=st.integers(0, 5),
    after=st.integers(0, 5),
    tr_s=st.floats(0.5, 4),
    seed=st.integers(0, 100),
)
def test_each_volume_gets_its_own_marker_wherever_the_first_one_is(first_s, n_volumes, before, after, tr_s, seed):
    jitter_s = np.random.default_rng(seed).uniform(-0.002, 0.002, before + n_volumes + after) * tr_s
    marker_s = first_s + tr_s * np.arange(before + n_volumes + after) + jitter_s
    np.testing.assert_array_equal(pair(marker_s, n_volumes, tr_s, dummy_volumes=before), marker_s[before : before + n_volumes])
    if not before and not after:
        np.testing.assert_array_equal(pair(marker_s, n_volumes, tr_s), marker_s)


@pytest.mark.parametrize(
    ("marker_s", "n_volumes", "sentence"),
    [
        (2.16 * np.arange(10), 10, "come every 2.160 s, but the image's repetition time is 2.000 s"),
        (2.0 * np.arange(9), 10, r"EEG \(700.0 s\) has 9 volume markers, the image has 10 volumes"),
        ([], 10, "has 0 volume markers, the image has 10 volumes"),
        (2.0 * np.arange(13), 10, "dummy_volumes: 3 if the first 3 were discarded, 0 if the last"),
        (np.delete(2.0 * np.arange(11), 4), 10, "markers 4 and 5 are 4.000 s apart instead of 2.000 s, one is missing"),
        (np.sort([*2.0 * np.arange(9), 5.0]), 10, "markers 3 and 4 are 1.000 s apart instead of 2.000 s, one is too many"),
    ],
)
def test_what_does_not_fit_is_told(marker_s, n_volumes, sentence):
    with pytest.raises(UserError, match=sentence):
        pair(marker_s, n_volumes)


def test_discarded_volumes_count_as_needing_markers():
    with pytest.raises(UserError, match="has 10 volume markers, the image has 10 volumes after 2 discarded ones"):
        pair(2.0 * np.arange(10), 10, dummy_volumes=2)
