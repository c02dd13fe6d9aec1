import re

import mne
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmodal.config import UserError
from crossmodal.config.preprocessing import Preprocessing
from preprocessing.signals.spans import Span
from preprocessing.steps.bad_channels import BadChannels, check_mendable, find_bad_channels, interpolate_channels, silence
from preprocessing.steps.segments import outside

_INTERPOLATE = Preprocessing(bad_channels="interpolate")


@pytest.fixture
def raw(make_raw):
    return make_raw().pick(["eeg", "meg"])


def _mend(raw, settings=Preprocessing(), marked=()):  # noqa: B008
    reasons = find_bad_channels(raw, marked, np.ones(len(raw.times), dtype=bool), settings).reasons
    check_mendable(raw, reasons, settings, "a.fif")
    silence(raw, reasons)
    interpolate_channels(raw, reasons, "a.fif")
    return tuple(reasons)


def test_whole_recording_is_left_alone(raw):
    before = raw.get_data()
    assert _mend(raw) == ()
    np.testing.assert_array_equal(raw.get_data(), before)


def test_each_bad_channel_is_listed_with_its_reason(raw):
    raw.info["bads"] = ["P8"]
    raw["Fp1", 100] = np.nan
    raw["MEG0111", :] = 3e-12
    raw["O1", :1500] = 0
    listing = "C4 (marked bad), P8 (marked bad), Fp1 (NaN), O1 (flat for 70 %), MEG0111 (flat)"
    with pytest.raises(UserError, match=re.escape(f"a.fif: bad channels {listing}; set preprocessing.bad_channels=interpolate")):
        _mend(raw, marked=("C4",))


def test_interpolation_keeps_the_channels_and_ignores_what_was_bad(raw):
    electrodes = raw.copy().pick("eeg").get_data().mean(axis=0)
    raw.apply_function(lambda x_t: x_t * 0 + electrodes, picks="eeg")
    raw["C3"] = np.nan
    names = raw.ch_names
    assert _mend(raw, _INTERPOLATE) == ("C3",)
    assert raw.ch_names == names
    assert raw.info["bads"] == []
    # All other electrodes agree, so does what is put between them.
    np.testing.assert_allclose(raw["C3"][0][0], electrodes, rtol=1e-3, atol=1e-9)


def test_real_magnetometer_is_recovered_from_its_neighbours(real_data):
    raw = mne.io.read_raw_fif(real_data / "paired_eeg_meg/sample_audvis_trunc_raw_sss.fif", verbose="error").pick("mag").load_data()
    true = raw["MEG 1211"][0][0]
    raw["MEG 1211"] = 0
    assert _mend(raw, _INTERPOLATE) == ("MEG 1211",)
    assert np.corrcoef(raw["MEG 1211"][0][0], true)[0, 1] > 0.9


def test_too_many_are_refused(raw):
    for name in ("Fp1", "Fp2", "C3"):
        raw[name] = 0.0
    with pytest.raises(UserError, match="3 of 8 eeg channels are bad, too many to interpolate"):
        _mend(raw, _INTERPOLATE)


def test_channel_without_position_cannot_be_interpolated(raw):
    raw["Fp1"] = 0
    raw.info["chs"][0]["loc"][:3] = np.nan
    with pytest.raises(UserError, match=r"cannot interpolate Fp1 \(flat\)"):
        _mend(raw, _INTERPOLATE)


def test_amplifier_switched_off_in_a_bad_span_makes_no_channel_flat(raw):
    raw["eeg", :1500] = 0
    good = outside([Span(0.0, 7.5)], len(raw.times), raw.info["sfreq"])
    assert find_bad_channels(raw, (), good, Preprocessing()) == BadChannels({}, {})


def test_a_channel_that_dies_for_long_is_broken(make_raw):
    raw = make_raw(duration_s=100.0).pick(["eeg", "meg"])
    raw["O1", 4000:10_000] = 1e-5
    with pytest.raises(UserError, match=re.escape("a.fif: bad channels O1 (flat for 30 %); set")):
        _mend(raw)
    assert _mend(raw, _INTERPOLATE) == ("O1",)


def test_a_channel_that_dies_for_a_moment_is_told_where(make_raw):
    raw = make_raw(duration_s=100.0).pick(["eeg", "meg"])
    raw["O1", 8100:8500] = 1e-5  # 40.5 to 42.5 s
    raw["MEG0111", 19_800:] = 0
    found = find_bad_channels(raw, (), np.ones(20_000, dtype=bool), Preprocessing())
    assert found == BadChannels({}, {"O1": (Span(40.0, 43.0),), "MEG0111": (Span(98.0, 100.0),)})


@given(flat=st.sets(st.integers(0, 39)), annotated=st.sets(st.integers(0, 39)))
def test_no_usable_flat_segment_is_left_unsaid(make_raw, flat, annotated):
    raw = make_raw(duration_s=40.0, sfreq=20.0).pick("eeg")
    good = np.ones(800, dtype=bool)
    for second in flat:
        raw["C3", 20 * second : 20 * second + 20] = second
    for second in annotated:
        good[20 * second : 20 * second + 20] = False
    found = find_bad_channels(raw, (), good, Preprocessing())
    told = outside(found.flat.get("C3", ()), 800, 20.0)
    assert "C3" in found.reasons or not any(told[20 * second] for second in flat - annotated)
    assert set(found.reasons) | set(found.flat) <= {"C3"}
    assert ("C3" in found.flat) <= (0 < len(flat - annotated) <= 2)
