import mne
import numpy as np
import pytest

from crossmodal.config import UserError
from preprocessing.signals.units import ChannelUnits
from preprocessing.steps.voltages import check_plausible

_UNDISPUTED = ChannelUnits()


@pytest.mark.parametrize(
    ("factor", "found"),
    [(1e6, "20 V rms above 1 Hz .* a factor of 1e-06 would fit"), (1e3, "0.02 V .* 0.001 would"), (1e-6, "2e-11 V .* 1e\\+06 would")],
)
def test_eeg_of_no_electrode_is_refused_with_the_factor_that_fits(make_raw, factor, found):
    with pytest.raises(UserError, match=f"a.edf: its EEG has {found}"):
        check_plausible(_scaled(make_raw(), factor), _UNDISPUTED, "a.edf")


@pytest.mark.parametrize("factor", [400, 1, 1e-3, 1e-4])
def test_eeg_of_any_electrode_passes(make_raw, factor):
    assert check_plausible(_scaled(make_raw(), factor), _UNDISPUTED, "a.edf") == []


def test_offsets_drifts_knocks_and_unused_inputs_do_not_count(make_raw):
    raw = make_raw(duration_s=60.0).pick("eeg")
    drift_t = 0.3 + 0.03 * np.sin(2 * np.pi * 0.1 * raw.times)
    raw._data += drift_t
    raw._data[:, 2000:2200] += 0.1 * np.random.default_rng(1).normal(size=200)
    raw._data[:3] = 1.0 * np.random.default_rng(2).normal(size=raw._data[:3].shape)
    (note,) = check_plausible(raw, _UNDISPUTED, "a.edf")
    assert note.startswith("no electrode records what these channels have above 1 Hz (rms): Fp1 (1 V), Fp2 (0.99 V), C3 (0.99 V)")


def test_constant_channels_are_left_to_those_who_find_bad_ones(make_raw):
    raw = _scaled(make_raw(), 1.0).pick("eeg")
    raw._data[:7] = 0.3
    check_plausible(raw, _UNDISPUTED, "a.edf")
    raw._data[7] *= 1e6
    with pytest.raises(UserError, match="median of 1 channels"):
        check_plausible(raw, _UNDISPUTED, "a.edf")
    raw._data[7] = np.nan
    check_plausible(raw, _UNDISPUTED, "a.edf")


def test_meg_alone_is_not_asked(make_raw):
    check_plausible(make_raw().pick("meg"), _UNDISPUTED, "a.fif")


def test_an_empty_room_and_its_unused_inputs_pass(real_data):
    raw = mne.io.read_raw_fif(real_data / "paired_eeg_meg/test_move_anon_erm_raw.fif", allow_maxshield="yes", preload=True, verbose="error")
    check_plausible(raw, _UNDISPUTED, "erm.fif")


def _scaled(raw, factor):
    raw._data[mne.pick_types(raw.info, eeg=True)] *= factor
    return raw
