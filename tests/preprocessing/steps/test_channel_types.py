import mne
import numpy as np
import pytest

from crossmodal.config import UserError
from preprocessing.readers.bids.channels import parse_channels
from preprocessing.steps.channel_types import keep_brain_channels, order_channels

_BOTH = ("eeg", "meg")


def test_eyes_and_heart_of_ds000117_are_no_inputs(make_raw, real_data):
    names = dict(zip(["Fp1", "Fp2", "C3", "C4", "P7"], [f"EEG06{number}" for number in range(1, 6)], strict=True))
    raw = make_raw(rename=names)
    table = (real_data / "ds000117_bids/sub-01/ses-meg/sub-01_ses-meg_task-facerecognition_channels.tsv").read_text()
    notes = keep_brain_channels(raw, _BOTH, {}, parse_channels(table, "channels.tsv").types, "a.fif")
    types = dict(zip(raw.ch_names, raw.get_channel_types(), strict=True))
    assert [name for name, kind in types.items() if kind == "eeg"] == ["EEG065", "P8", "O1", "O2"]
    assert {name: kind for name, kind in types.items() if kind in ("eog", "ecg")} == {"EEG061": "eog", "EEG062": "eog", "EEG063": "ecg"}
    assert notes == []


def test_only_brain_channels_stay_ordered_by_type_and_name(make_raw):
    raw = make_raw()
    keep_brain_channels(raw, _BOTH, {}, {}, "a.fif")
    order_channels(raw, _BOTH)
    assert raw.get_channel_types() == ["eeg"] * 8 + ["mag"] * 3 + ["grad"] * 2
    assert raw.ch_names[8:] == ["MEG0111", "MEG0121", "MEG0131", "MEG0112", "MEG0113"]


def test_one_modality_can_be_asked_for(make_raw):
    raw = make_raw()
    keep_brain_channels(raw, ("meg",), {}, {}, "a.fif")
    assert "eeg" not in raw


def test_a_name_that_cannot_be_stored_is_refused_by_name(make_raw):
    raw = make_raw(rename={"Fp1": "Öz"})
    with pytest.raises(UserError, match=r"a.fif: channel 'Öz' has letters beyond A to Z, .* \(recordings.channel_types.Öz=misc\)"):
        keep_brain_channels(raw, _BOTH, {}, {}, "a.fif")


@pytest.mark.parametrize("name", ["VEOG", "heog", "EOG 061", "ECG", "EKG1", "EMG-chin", "EEG EKG1-REF", "EEG VEOG"])
def test_name_that_tells_is_believed_over_the_file(make_raw, name):
    raw = make_raw(rename={"Fp1": name})
    keep_brain_channels(raw, _BOTH, {}, {}, "a.fif")
    assert name not in np.array(raw.ch_names)[mne.pick_types(raw.info, eeg=True)]


def test_config_overrules_all_and_the_run_says_so(make_raw):
    raw = make_raw(rename={"Fp1": "VEOG"})
    notes = keep_brain_channels(raw, _BOTH, {"VEOG": "eeg", "Fp2": "misc"}, {"VEOG": "eog"}, "a.fif")
    assert "VEOG" in raw.ch_names
    assert "Fp2" not in raw.ch_names
    assert notes == ["VEOG is taken as EEG as configured, though it is known as EOG"]


def test_electrode_without_position_among_others_is_told(make_raw):
    raw = make_raw()
    raw.info["chs"][0]["loc"][:3] = 0
    (note,) = keep_brain_channels(raw, _BOTH, {}, {}, "a.fif")
    assert note.startswith("Fp1 have no position")


def test_configured_channel_must_exist(make_raw):
    with pytest.raises(UserError, match="a.fif: has no channel 'FP1' to retype .*; the nearest is 'Fp1'"):
        keep_brain_channels(make_raw(), _BOTH, {"FP1": "eog"}, {}, "a.fif")


@pytest.mark.parametrize(("kept", "modality"), [("eeg", "MEG"), ("meg", "EEG")])
def test_recording_without_a_modality_is_refused(make_raw, kept, modality):
    with pytest.raises(UserError, match=f"a.fif: has no {modality} channel, and the experiment asks for EEG and MEG"):
        keep_brain_channels(make_raw().pick(kept), _BOTH, {}, {}, "a.fif")
