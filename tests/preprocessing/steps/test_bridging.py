"""What replaces a bad span is made of what lies outside of it."""

import mne
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossmodal.config.preprocessing import Preprocessing
from preprocessing.signals.spans import Span
from preprocessing.steps.bridging import bridge_spans
from preprocessing.steps.edges import beyond_edges
from preprocessing.steps.look import Look
from preprocessing.steps.segments import outside

_RATE_HZ = 250.0


def _raw(x_ct):
    info = mne.create_info(len(x_ct), _RATE_HZ, "eeg")
    return mne.io.RawArray(np.array(x_ct, dtype=np.float64), info, verbose="error")


spans_drawn = st.lists(st.tuples(st.floats(0, 19.5), st.sampled_from([0.004, 0.1, 0.5, 3.0])), min_size=1, max_size=6)


@settings(max_examples=30, deadline=None)
@given(spans_drawn, st.integers(0, 99))
def test_nothing_of_what_lies_in_spans_is_left_and_nothing_outside_changes(drawn, seed):
    rng = np.random.default_rng(seed)
    spans = [Span(start_s, start_s + length_s) for start_s, length_s in drawn]
    good = outside(spans, 5000, _RATE_HZ)
    x_ct = rng.standard_normal((3, 5000)).cumsum(axis=1)
    other_ct = np.where(good, x_ct, 1e6 * rng.standard_normal(x_ct.shape))
    other_ct[0, ~good] = np.nan
    one, other = _raw(x_ct), _raw(other_ct)
    for each in (one, other):
        bridge_spans(each, spans, False)
    np.testing.assert_array_equal(one.get_data(), other.get_data())
    np.testing.assert_array_equal(one.get_data()[:, good], x_ct[:, good])


def test_a_drift_and_a_line_go_on_through_a_span():
    times = np.arange(5000) / _RATE_HZ
    x_ct = np.array([3 + 2 * times, 5 * np.sin(2 * np.pi * 50 * times + 1), np.cos(2 * np.pi * 60 * times) - times])
    raw = _raw(x_ct)
    bridge_spans(raw, [Span(4.0, 4.5), Span(10.0, 12.0)], False)
    np.testing.assert_allclose(raw.get_data(), x_ct, atol=0.02)


def test_at_ends_and_boundaries_the_level_of_the_only_side_is_held_and_a_bad_piece_is_zero():
    raw = _raw(np.repeat([[1.0, 5.0, 9.0]], 1000, axis=1))
    raw.set_annotations(mne.Annotations([4.0, 8.0], 0.0, "EDGE boundary"))
    raw._data[:, 900:1100] = raw._data[:, 2100:] = 1e3
    bridge_spans(raw, [Span(3.6, 4.4), Span(8.0, 12.0), Span(0.0, 0.4)], False)
    np.testing.assert_allclose(raw.get_data()[0], np.repeat([1.0, 5.0, 0.0], 1000))


@pytest.mark.parametrize("jump", [0.0, 100.0, 3.0])
def test_a_jump_is_levelled_and_a_drift_is_not(jump):
    rng = np.random.default_rng(0)
    x_ct = rng.standard_normal((8, 15_000)) + 0.01 * np.arange(15_000)
    raw, jumped = _raw(x_ct), _raw(x_ct + jump * (np.arange(15_000) >= 7_100))
    bridge_spans(raw, [Span(28.0, 29.0)], True)
    assert bridge_spans(jumped, [Span(28.0, 29.0)], True) == bool(jump)
    np.testing.assert_allclose(jumped.get_data(), raw.get_data() - (3.75 if jump else 0) * (np.arange(15_000) >= 7_250), atol=4.0)


def test_noise_in_many_channels_is_no_jump():
    raw = _raw(np.random.default_rng(0).standard_normal((200, 15_000)))
    assert bridge_spans(raw, [Span(start_s, start_s + 0.5) for start_s in range(5, 55, 5)], True) == 0


def test_an_artifact_that_begins_before_its_span_is_no_jump():
    rng = np.random.default_rng(0)
    x_ct = rng.standard_normal((4, 5000))
    raw = _raw(x_ct)
    raw._data[:, 1992:2125] += 1e3
    assert bridge_spans(raw, [Span(8.0, 8.5)], True) == 0
    np.testing.assert_array_equal(raw.get_data()[:, 2125:], x_ct[:, 2125:])


def test_a_span_reaches_as_far_as_its_artifact_and_not_into_what_is_usual(make_raw):
    raw = make_raw(duration_s=40.0).pick("eeg")
    spans = [Span(10.0, 10.5), Span(20.0, 20.5)]
    artifact_t = ((raw.times >= 9.95) & (raw.times < 10.45)) + np.exp(-((raw.times - 20.3) ** 2) / 0.02)
    raw._data += 5e-4 * np.outer(np.linspace(-1, 1, 8), artifact_t)
    bridge_spans(raw, spans, False)
    found = beyond_edges(spans, Look.at(raw, Preprocessing()), 1.0)
    reached = outside([*spans, *found], 4000, 100.0)
    assert not reached[(np.arange(4000) >= 995) & (np.arange(4000) < 1050)].any()
    # The second begins and ends a little out of its span: of a deviation of 0.1 s, a tenth is left 0.21 s from its peak.
    assert not reached[(np.arange(4000) >= 2000) & (np.arange(4000) < 2055)].any()
    assert reached[:985].all()
    assert reached[1062:1985].all()
    assert reached[2070:].all()
