"""Copies of one subject's recording are found whatever was done to them, and independent recordings never are."""

from itertools import combinations

import numpy as np
import pytest
from scipy import signal

from crossmodal.datasets.copies import find_copies, likeness
from crossmodal.datasets.entry import ShardEntry
from crossmodal.datasets.landmarks import landmarks_of, likely_pairs
from crossmodal.datasets.trace_files import encoded
from crossmodal.datasets.traces import trace_of

_SFREQ, _SECONDS = 250.0, 40
_NAMES = tuple(f"E{index}" for index in range(12))


def falling(rng, n_channels=12, exponent=1.5):
    """Noise whose power falls with frequency as the brain's does, from 0.3 Hz on, shape (C, T)."""
    n_times = int(_SECONDS * _SFREQ)
    frequencies_hz = np.fft.rfftfreq(n_times, 1 / _SFREQ)
    gain = np.where(frequencies_hz > 0.3, np.maximum(frequencies_hz, 0.3) ** (-exponent / 2), 0)
    spectrum = rng.standard_normal((2, n_channels, len(frequencies_hz)))
    return np.fft.irfft((spectrum[0] + 1j * spectrum[1]) * gain, n_times)


def noisy(x_ct, rng):
    """With white noise 6 dB below each channel."""
    return x_ct + 0.5 * x_ct.std(axis=1, keepdims=True) * rng.standard_normal(x_ct.shape)


def traced(x_ct, sfreq=_SFREQ, names=_NAMES):
    return trace_of(x_ct.T.astype(np.float32), names, np.ones(x_ct.shape[1], dtype=bool), sfreq)


_CHANGES = {
    "scaled": lambda x_ct, rng: 1e-6 * x_ct,
    "upside down": lambda x_ct, rng: -x_ct,
    "reversed": lambda x_ct, rng: x_ct[:, ::-1],
    "cropped": lambda x_ct, rng: x_ct[:, 2503:7001],
    "noisy": noisy,
    "int16": lambda x_ct, rng: np.round(x_ct / np.abs(x_ct).max() * 300),
    "float16": lambda x_ct, rng: x_ct.astype(np.float16),
    "other gains": lambda x_ct, rng: x_ct * rng.uniform(0.1, 10, (len(x_ct), 1)),
    "noisy and reversed": lambda x_ct, rng: -noisy(x_ct, rng)[:, ::-1],
    "noisy and cropped": lambda x_ct, rng: noisy(x_ct, rng)[:, 2503:],
    "a line": lambda x_ct, rng: x_ct + 20 * x_ct.std() * np.sin(2 * np.pi * 50 / _SFREQ * np.arange(x_ct.shape[1])),
}


@pytest.mark.parametrize("change", _CHANGES)
def test_a_copy_is_alike_and_likely(change):
    rng = np.random.default_rng(1)
    x_ct = falling(rng)
    traces = [traced(x_ct), *(traced(falling(rng)) for _ in range(4)), traced(_CHANGES[change](x_ct, rng))]
    assert likeness(traces[0], traces[5]).correlation > 0.6
    assert all(likeness(traces[0], other).correlation < 0.3 for other in traces[1:5])
    assert (0, 5) in likely_pairs([landmarks_of(trace) for trace in traces])


@pytest.mark.parametrize("seed", range(4))
def test_a_copy_of_four_seconds_is_alike(seed):
    rng = np.random.default_rng(seed)
    x_ct = falling(rng)
    begin = int(rng.integers(x_ct.shape[1] - 1000))
    assert likeness(traced(x_ct), traced(x_ct[:, begin : begin + 1000])).correlation > 0.5


@pytest.mark.parametrize("n_channels", [1, 2, 12])
def test_short_recordings_of_two_people_are_not_alike(n_channels):
    rng = np.random.default_rng(7)
    traces = [traced(falling(rng, n_channels)[:, :1500], names=_NAMES[:n_channels]) for _ in range(12)]
    assert max(likeness(one, other).correlation for one, other in combinations(traces, 2)) < 0.3


@pytest.mark.parametrize("sfreq", [100.0, 128.0, 300.0, 1000 / 3])
def test_a_resampled_copy_is_alike(sfreq):
    rng = np.random.default_rng(2)
    x_ct = falling(rng)
    at_rate = signal.resample(noisy(x_ct, rng), round(_SECONDS * sfreq), axis=1)
    assert likeness(traced(x_ct), traced(at_rate, sfreq)).correlation > 0.6


def test_channels_in_another_order_or_under_other_names_are_alike():
    rng = np.random.default_rng(3)
    x_ct = rng.standard_normal((12, 4)) @ falling(rng, 4)
    order = rng.permutation(12)
    one = traced(x_ct)
    assert likeness(one, traced(x_ct[order], names=[_NAMES[index] for index in order])).correlation > 0.9
    assert likeness(one, traced(x_ct[order])).correlation > 0.9


def test_what_all_subjects_share_is_no_copy():
    """A line, the same artifacts at the same times, and a response to the same stimuli in an eighth of the power."""
    rng = np.random.default_rng(4)
    shared = np.sqrt(1 / 8) * falling(rng)
    line = 20 * shared.std() * np.sin(2 * np.pi * 50 / _SFREQ * np.arange(shared.shape[1]))
    shared[:, 1000::3000] += 100 * shared.std()
    traces = [traced(falling(rng) + shared + line) for _ in range(4)]
    assert max(likeness(one, other).correlation for one in traces for other in traces if one is not other) < 0.4


def entry(subject, trace, run="01"):
    return ShardEntry(
        uri=f"{subject}-{run}",
        subject=subject,
        run=run,
        fingerprint=subject,
        n_samples=9,
        sfreq=100.0,
        size_bytes=1,
        sha256="0",
        samples={},
        channels={},
        types={},
        landmarks={"eeg": encoded(landmarks_of(trace))},
    )


def test_two_copies_among_many_are_found_and_no_others():
    rng = np.random.default_rng(5)
    recordings = [falling(rng) for _ in range(30)]
    recordings += [noisy(recordings[3], rng)[:, ::-1], recordings[7][:, 3000:6000], recordings[9]]
    traces = [traced(x_ct) for x_ct in recordings]
    # The last one is the subject's own, under another run: no leak.
    subjects = [*(str(index) for index in range(32)), "9"]
    entries = [entry(subject, trace, str(index)) for index, (subject, trace) in enumerate(zip(subjects, traces, strict=True))]
    copies = find_copies(entries, lambda entry, modality: traces[int(entry.run)])
    assert {(copy.one.subject, copy.other.subject) for copy in copies} == {("3", "30"), ("7", "31")}
    assert {copy.likeness.backwards for copy in copies if copy.one.subject == "3"} == {True}


def test_of_many_landmarks_few_pairs_are_compared():
    rng = np.random.default_rng(6)
    landmarks = [rng.integers(0, 256, (60, 16), dtype=np.uint8) for _ in range(300)]
    assert not likely_pairs(landmarks)
    # The same everywhere, as of a device that plays a tape: what is compared stays in proportion.
    assert len(likely_pairs([landmarks[0]] * 300)) <= 300 * 8
