import numpy as np
import pytest

from crossmodal.config.cleaning import LineNoise
from crossmodal.config.preprocessing import Preprocessing
from preprocessing.signals.spans import Span
from preprocessing.steps.look import Look
from preprocessing.steps.masking import far_in_look, far_segments
from preprocessing.steps.segments import outside


@pytest.fixture
def raw(make_raw):
    return make_raw(duration_s=5.5, sfreq=100.0).pick(["eeg", "meg"])


def test_spans_are_masked_and_a_boundary_takes_a_sample():
    good = outside([Span(1.0, 1.25), Span(3.0, 3.0), Span(-1.0, 0.02), Span(5.4, 9.0)], 550, 100.0)
    assert np.flatnonzero(~good).tolist() == [0, 1, *range(100, 125), 300, *range(540, 550)]


@pytest.mark.parametrize(
    ("channel", "value", "setting"),
    [("O1", 1e-3, "peak_to_peak_v"), ("MEG0111", 1e-10, "peak_to_peak_t"), ("MEG0112", 1e-9, "peak_to_peak_t_per_m")],
)
def test_segment_where_a_channel_ranges_too_far_is_masked(raw, make_raw, channel, value, setting):
    raw[channel, 250] = value
    assert far_segments(raw, Preprocessing()) == []
    limited = Preprocessing(highpass_hz=None, **{setting: value / 2})
    assert far_segments(raw, limited) == [Span(2.0, 3.0)]
    # Before it is filtered, too, at a rate that holds no whole number of samples a second.
    raw = make_raw(duration_s=60.0, sfreq=601.3).pick(["eeg", "meg"])
    raw[channel, round(41.3 * 601.3) : round(41.6 * 601.3)] = 10 * value
    (found,) = far_in_look(Look.at(raw, limited), limited)
    assert (found.start_s, found.stop_s) == (pytest.approx(41.3, abs=0.05), pytest.approx(41.6, abs=0.05))


def test_remainder_belongs_to_the_last_segment(raw):
    raw["O1", 549] = 1e-3
    assert far_segments(raw, Preprocessing(peak_to_peak_v=5e-4)) == [Span(4.0, 5.5)]


def test_what_the_filters_take_off_does_not_count_before_they_do(make_raw):
    raw = make_raw(duration_s=60.0, sfreq=600.0).pick("eeg")
    settings = Preprocessing(peak_to_peak_v=2e-4, lowpass_hz=40, line_noise=None)
    drift_t = 5e-3 * np.sin(2 * np.pi * 0.02 * raw.times) + 1e-3 * raw.times
    line_t = 3e-4 * np.sin(2 * np.pi * 60 * raw.times)
    raw.apply_function(lambda x_t: x_t + drift_t + line_t)
    assert far_in_look(Look.at(raw, settings), settings) == []
    raw._data[2, 12_100:12_400] += 5e-4
    artifact = Span(pytest.approx(12_100 / 600, abs=0.05), pytest.approx(12_400 / 600, abs=0.05))
    assert far_in_look(Look.at(raw, settings), settings) == [artifact]
    notched = settings.model_copy(update={"lowpass_hz": 90.0, "line_noise": LineNoise(line_hz=60)})
    assert far_in_look(Look.at(raw, notched), notched) == [artifact]


def test_what_makes_a_segment_far_is_one_span_wherever_it_crosses_zero_or_a_bound():
    x_cb = np.zeros((3, 1000), dtype=np.float32)
    x_cb[0, 340:460] = 1e-3 * np.linspace(-1, 1, 120)  # Across the bound at 400 blocks, and zero.
    x_cb[1, 700:710] = 1e-4 * (-1) ** np.arange(10)  # Within the limit.
    x_cb[2, 900:910] = 1.0  # No limit.
    settings = Preprocessing(peak_to_peak_v=3e-4, segment_s=1.0)
    assert far_in_look(Look(x_cb, ("eeg", "eeg", "mag"), 0.01), settings) == [Span(3.4, pytest.approx(4.6))]
