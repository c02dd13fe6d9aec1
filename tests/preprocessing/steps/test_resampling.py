"""Resampling keeps a recording on its own clock, whatever its length, files and boundaries."""

import mne
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crossmodal.config.preprocessing import Preprocessing
from preprocessing.steps.resampling import resample_recording

TONE_HZ = 11.3


def recording(x_ct, sfreq, boundaries_s=()):
    raw = mne.io.RawArray(x_ct, mne.create_info(len(x_ct), sfreq, "eeg"), verbose="error")
    return raw.set_annotations(mne.Annotations(boundaries_s, 0.0, "EDGE boundary"))


@settings(max_examples=30, deadline=None)
@given(
    n_times=st.integers(5000, 60_000),
    rates=st.sampled_from([(1100.0, 100.0), (1100.0, 250.0), (5000.0, 250.0), (1000.0, 100.0), (512.0, 100.0), (200.0, 250.0)]),
)
@example(n_times=54_011, rates=(1000.0, 100.0))
def test_a_tone_stays_where_it_was_to_the_last_sample(n_times, rates):
    """MNE's own resampling moves this one by 3 ms or so, as its length happens to be."""
    old_hz, new_hz = rates
    raw = recording(np.sin(2 * np.pi * TONE_HZ * np.arange(n_times) / old_hz)[None], old_hz)
    resampled = resample_recording(raw, Preprocessing(sfreq=new_hz, lowpass_hz=40.0))
    assert resampled.info["sfreq"] == new_hz
    assert resampled.get_data().shape == (1, round(n_times * new_hz / old_hz))
    error_t = np.abs(resampled.get_data()[0] - np.sin(2 * np.pi * TONE_HZ * resampled.times))
    # A signal that ends has no band limit: near its ends it cannot be exact.
    assert error_t.max() < 0.05
    edge = len(error_t) // 4
    assert error_t[edge:-edge].max() < 1e-4


def test_rates_without_a_small_ratio_are_kept_to_microseconds():
    old_hz = 600.614990234375
    raw = recording(np.sin(2 * np.pi * TONE_HZ * np.arange(300_000) / old_hz)[None], old_hz)
    resampled = resample_recording(raw, Preprocessing())
    error_t = np.abs(resampled.get_data()[0] - np.sin(2 * np.pi * TONE_HZ * resampled.times))[1000:-1000]
    assert error_t.max() / (2 * np.pi * TONE_HZ) < 20e-6


def test_a_split_recording_is_one(tmp_path):
    x_ct = 1e-5 * np.cumsum(np.random.default_rng(0).standard_normal((20, 200_003)), axis=1) / 30
    recording(x_ct, 1100.0).save(tmp_path / "whole_raw.fif", split_size="6MB", split_naming="neuromag", verbose="error")
    split = mne.io.read_raw_fif(tmp_path / "whole_raw.fif", preload=True, verbose="error")
    assert len(split.filenames) > 1
    whole = recording(split.get_data(), 1100.0)
    np.testing.assert_array_equal(*(resample_recording(raw, Preprocessing()).get_data() for raw in (split, whole)))


def test_nothing_passes_a_boundary_of_acquisition():
    rng = np.random.default_rng(0)
    before, after = np.cumsum(rng.standard_normal((2, 1, 9001)), axis=-1)
    made = []
    for first in (before, -before[:, ::-1]):
        raw = recording(np.concatenate([first, after], axis=1), 1000.0, [9.001])
        made.append(resample_recording(raw, Preprocessing()).get_data())
    # The first sample of the new rate after the boundary is at 9.01 s.
    np.testing.assert_array_equal(made[0][:, 901:], made[1][:, 901:])
    assert not np.allclose(made[0][:, :901], made[1][:, :901])


@pytest.mark.parametrize("n_times", [1, 2, 30])
def test_a_constant_stays_one_however_short(n_times):
    raw = recording(np.full((1, n_times), 3.0), 100.0)
    np.testing.assert_allclose(resample_recording(raw, Preprocessing(sfreq=200.0)).get_data(), np.full((1, 2 * n_times), 3.0), rtol=1e-3)


def test_its_own_rate_is_left_alone():
    raw = recording(np.ones((1, 50)), 100.0)
    assert resample_recording(raw, Preprocessing(sfreq=100.0)) is raw
    assert resample_recording(raw, Preprocessing(sfreq=None)) is raw
