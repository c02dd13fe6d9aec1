"""Artifacts that EEG and MEG share, in cohorts where nothing else is shared or all of it is."""

import functools
from pathlib import Path

import mne
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from crossmodal.config.cleaning import Ica, LineNoise, Ssp
from crossmodal.config.preprocessing import FileEntry, FileRecordings, Preprocessing
from preprocessing.readers.files import list_files
from preprocessing.recording import preprocess_recording

_RATE_HZ, _DURATION_S, _SUBJECTS = 200.0, 60.0, 4
_LENGTH_S = 0.5
_LIMITED = {"peak_to_peak_v": 2e-4, "peak_to_peak_t": 4e-12}
_WITH_LINE = {"line_noise": LineNoise(), "lowpass_hz": 80.0, "sfreq": None}


def brain(n_channels, rng):
    """Activity of as many sources as channels, more of it where it is slow; rms 1."""
    white = np.fft.rfft(rng.standard_normal((n_channels, round(_DURATION_S * _RATE_HZ))))
    slow = np.fft.irfft(white / (1 + np.arange(white.shape[1]) / _DURATION_S))
    return slow / slow.std()


def artifacts(kind, rng):
    """Four a minute, of either sign, and when they begin, s."""
    length = round(_LENGTH_S * _RATE_HZ)
    shape_t = np.sin(np.pi * (np.arange(length) + 0.5) / length) if kind == "pulse" else np.ones(length)
    onset_s = np.array([6.0, 21.3, 37.1, 51.7]) + rng.uniform(-2, 2, 4).round(2)
    course_t = np.zeros(round(_DURATION_S * _RATE_HZ))
    for onset in np.round(onset_s * _RATE_HZ).astype(int):
        course_t[onset : onset + length] = shape_t * rng.choice([-1, 1])
    if kind == "step":
        # The level stays where each box begins.
        course_t = np.cumsum(np.where(np.diff(course_t, prepend=0) * course_t > 0, course_t, 0))
    return course_t, onset_s


def recording(make_raw, seed, coupled, kind, amplitude_v, annotated=0.0, line=0.0):
    """One subject; annotations are so many seconds late, or missing where that is None."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99)
    raw = make_raw(duration_s=_DURATION_S, sfreq=_RATE_HZ).pick(["eeg", "mag"])
    eeg, mag = (mne.pick_types(raw.info, **{"meg": kind == "mag", "eeg": kind == "eeg"}) for kind in ("eeg", "mag"))
    of_eeg, of_mag, gains_eeg, gains_mag = (mixing.standard_normal((n, m)) for n, m in ((8, 8), (3, 8), (8, 1), (3, 1)))
    sources = brain(8, rng)
    others = brain(8, rng)
    course_t, onset_s = artifacts(kind, rng)
    amplitude = amplitude_v / 20e-6
    line_t = line * np.sin(2 * np.pi * 50.02 * raw.times)
    raw._data[eeg] = 20e-6 * (of_eeg @ sources / np.sqrt(8) + amplitude * gains_eeg * course_t + line_t)
    raw._data[mag] = 4e-13 * (of_mag @ (sources if coupled else others) / np.sqrt(8) + amplitude * gains_mag * course_t + line_t)
    raw._data += 0.1 * np.where(np.isin(np.arange(11), eeg), 20e-6, 4e-13)[:, None] * rng.standard_normal(raw._data.shape)
    if annotated is not None and amplitude_v:
        raw.set_annotations(mne.Annotations(onset_s + annotated, _LENGTH_S, "BAD_artifact"))
    return raw


def preprocessed(raw, folder, types=None, **chosen):
    path = Path(folder) / "a_raw.fif"
    raw.save(path, fmt="double", overwrite=True, verbose="error")
    recordings = FileRecordings(files=(FileEntry(path=str(path), subject="1"),), channel_types=types or {})
    (entry,) = list_files(recordings)
    return preprocess_recording(entry, recordings, Preprocessing(**chosen), Path(folder))


def explained(cohort):
    """Mean over subjects of what a ridge of the others explains of the magnetometers, and the half-width of its 95 % interval."""
    moments, good = [], []
    for each in cohort:
        x_tc, y_tc = (each.signals[kind].data_tc[each.good].astype(np.float64) for kind in ("eeg", "meg"))
        x_tc, y_tc = x_tc / 20e-6, y_tc / 4e-13
        moments.append((x_tc.T @ x_tc, x_tc.T @ y_tc))
        good.append((x_tc, y_tc))
    scores = []
    for subject, (x_tc, y_tc) in enumerate(good):
        gram, cross = (sum(each[which] for index, each in enumerate(moments) if index != subject) for which in (0, 1))
        weights = np.linalg.solve(gram + 1e-3 * np.trace(gram) / len(gram) * np.eye(len(gram)), cross)
        scores.append(1 - np.sum((y_tc - x_tc @ weights) ** 2) / np.sum(y_tc**2))
    half_width = stats.t.ppf(0.975, len(scores) - 1) * np.std(scores, ddof=1) / np.sqrt(len(scores))
    return np.mean(scores), half_width


def scored(make_raw, folder, coupled, kind, amplitude_v, annotated=0.0, line=0.0, **chosen):
    """Explained variance, half-width of its interval and share of samples that stay."""
    raws = (recording(make_raw, seed, coupled, kind, amplitude_v, annotated, line) for seed in range(_SUBJECTS))
    cohort = [preprocessed(raw, folder, **chosen) for raw in raws]
    return *explained(cohort), float(np.mean([each.good.mean() for each in cohort]))


@pytest.mark.parametrize(
    ("kind", "amplitude_v", "annotated", "chosen"),
    [
        ("pulse", 5e-4, 0.0, {}),
        ("box", 1e-2, 0.0, {"highpass_hz": 0.1}),
        ("box", 2e-3, 0.05, {}),
        ("pulse", 5e-4, -0.03, {}),
        ("box", 2e-3, 0.0, _WITH_LINE),
        ("box", 5e-4, None, _LIMITED),
        ("pulse", 1e-2, None, _LIMITED | {"highpass_hz": 0.1}),
        ("step", 2e-3, None, _LIMITED),
        ("step", 2e-3, None, _LIMITED | {"highpass_hz": 0.1}),
    ],
)
def test_artifacts_that_eeg_and_meg_share_predict_nothing(make_raw, tmp_path, kind, amplitude_v, annotated, chosen):
    line = 1.0 if "line_noise" in chosen else 0.0
    mean, half_width, kept = scored(make_raw, tmp_path, False, kind, amplitude_v, annotated, line, **chosen)
    assert mean - half_width < 0 < 0.85 < kept
    assert mean < 0.01


@pytest.mark.parametrize("chosen", [{}, {"highpass_hz": 0.1}])
def test_what_is_shared_besides_artifacts_is_predicted_as_without_them(make_raw, tmp_path, chosen):
    without, *_ = scored(make_raw, tmp_path, True, "box", 0.0, **chosen)
    with_artifacts, _, kept = scored(make_raw, tmp_path, True, "box", 2e-3, **chosen)
    assert without > 0.3
    assert with_artifacts == pytest.approx(without, abs=0.01)
    assert kept > 0.9


@functools.cache
def _brain_with_eyes():
    """Noise and blinks; P8 is an EOG."""
    rng = np.random.default_rng(5)
    blink_t = np.exp(-(((np.arange(12_000) / _RATE_HZ)[:, None] - np.arange(2, 60, 3)) ** 2 / 0.02)).sum(axis=1)
    return rng.standard_normal((13, 12_000)), blink_t


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(
        [
            {},
            {"highpass_hz": 0.1, "peak_to_peak_v": 3e-4},
            _WITH_LINE,
            {"ica": Ica(references=("eog",)), "ssp": Ssp(references=("eog",))},
            {"highpass_hz": None},
        ]
    ),
    st.lists(st.tuples(st.floats(0, 59), st.sampled_from([0.02, 0.5, 4.0])), min_size=1, max_size=4),
    st.sampled_from([1e-3, 10.0, np.nan]),
)
def test_nothing_that_happens_in_a_bad_span_changes_a_sample_in_any_bit(make_raw, tmp_path, chosen, drawn, amplitude):
    noise, blink_t = _brain_with_eyes()
    made = []
    for inside in (0.0, amplitude):
        raw = make_raw(duration_s=60.0).pick(["eeg", "meg"])
        raw._data = np.array([{"eeg": 2e-5, "mag": 4e-13, "grad": 5e-12}[kind] for kind in raw.get_channel_types()])[:, None] * noise
        raw._data[:8] += 2e-4 * np.linspace(0, 1, 8)[[7, 6, 0, 0, 0, 7, 0, 0]][:, None] * blink_t
        raw.set_annotations(mne.Annotations(*zip(*drawn, strict=True), "BAD_unknown"))
        for start_s, length_s in drawn:
            start, stop = round(start_s * _RATE_HZ), round((start_s + length_s) * _RATE_HZ)
            raw._data[:, start:stop] += inside * np.random.default_rng(start).standard_normal(raw._data[:, start:stop].shape)
        made.append(preprocessed(raw, tmp_path, types={"P8": "eog"}, **chosen))
    one, other = made
    np.testing.assert_array_equal(one.good, other.good)
    for kind in ("eeg", "meg"):
        np.testing.assert_array_equal(one.signals[kind].data_tc, other.signals[kind].data_tc)
    assert one.provenance["lost"] == other.provenance["lost"]


def test_how_much_is_lost_is_told_by_cause(make_raw, tmp_path):
    made = preprocessed(recording(make_raw, 0, False, "box", 2e-3, None), tmp_path, **_LIMITED)
    raw = recording(make_raw, 0, False, "box", 2e-3)
    raw.annotations.delete([2, 3])
    raw["P8", 4000:4400] = 0
    both = preprocessed(raw, tmp_path, **_LIMITED)
    assert set(both.provenance["lost"]) == {"annotated", "flat", "peak-to-peak", "edges", "filter"}
    assert both.provenance["lost"]["annotated"] == pytest.approx(1 / 60, abs=1e-3)
    assert 0 < both.provenance["lost"]["peak-to-peak"] < made.provenance["lost"]["peak-to-peak"]
    assert both.provenance["lost"]["flat"] > 2 / 60
    for each in (made, both):
        assert sum(each.provenance["lost"].values()) == pytest.approx(1 - each.good.mean())
