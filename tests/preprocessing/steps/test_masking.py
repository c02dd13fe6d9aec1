import numpy as np
import pytest

from crossmodal.config.preprocessing import Preprocessing
from preprocessing.sources.timeline import Span
from preprocessing.steps.masking import good_samples


@pytest.fixture
def raw(make_raw):
    return make_raw(duration_s=5.5, sfreq=100.0).pick(["eeg", "meg"])


def _bad_seconds(good):
    return sorted(set(np.flatnonzero(~good) // 100))


def test_spans_are_masked_and_a_boundary_takes_a_sample(raw):
    good = good_samples(raw, [Span(1.0, 1.25), Span(3.0, 3.0), Span(-1.0, 0.02), Span(5.4, 9.0)], Preprocessing())
    assert np.flatnonzero(~good).tolist() == [0, 1, *range(100, 125), 300, *range(540, 550)]


@pytest.mark.parametrize(
    ("channel", "value", "setting"),
    [("O1", 1e-3, "peak_to_peak_v"), ("MEG0111", 1e-10, "peak_to_peak_t"), ("MEG0112", 1e-9, "peak_to_peak_t_per_m")],
)
def test_segment_where_a_channel_ranges_too_far_is_masked(raw, channel, value, setting):
    raw[channel, 250] = value
    assert good_samples(raw, [], Preprocessing()).all()
    assert _bad_seconds(good_samples(raw, [], Preprocessing(**{setting: value / 2}))) == [2]


def test_remainder_belongs_to_the_last_segment(raw):
    raw["O1", 549] = 1e-3
    assert np.flatnonzero(~good_samples(raw, [], Preprocessing(peak_to_peak_v=5e-4))).tolist() == list(range(400, 550))
