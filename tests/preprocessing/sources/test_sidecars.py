import numpy as np
import pytest

from crossmodal.config import UserError
from preprocessing.sources.sidecars import parse_channels, parse_events

_META = "ds000117_bids/sub-01/ses-meg"


def test_real_events_are_named_by_stimulus(real_data):
    text = (real_data / _META / "meg/sub-01_ses-meg_task-facerecognition_run-01_events.tsv").read_text()
    events = parse_events(text, "events.tsv")
    assert events.onset_s[0] == 24.2073
    assert set(events.trial_type) == {"Famous", "Unfamiliar", "Scrambled"}
    np.testing.assert_allclose(events.shifted(0.0345).onset_s - events.onset_s, 0.0345)


def test_real_channels_tell_eyes_and_heart_from_brain(real_data):
    types = parse_channels((real_data / _META / "sub-01_ses-meg_task-facerecognition_channels.tsv").read_text(), "channels.tsv").types
    assert {name: types[name] for name in ("EEG060", "EEG061", "EEG062", "EEG063", "EEG064", "EEG065")} == {
        "EEG060": "eeg",
        "EEG061": "eog",
        "EEG062": "eog",
        "EEG063": "ecg",
        "EEG064": "misc",
        "EEG065": "eeg",
    }
    assert not any(name.startswith("MEG") for name in types)


def test_bad_channels_are_found():
    table = parse_channels("name\ttype\tstatus\nFp1\tEEG\tbad\nFp2\tEEG\tgood\n", "channels.tsv")
    assert table.bad == ("Fp1",)


def test_trial_type_wins_and_missing_durations_are_zero():
    events = parse_events("onset\tduration\tvalue\ttrial_type\n1.5\tn/a\t5\tface\n", "events.tsv")
    assert (events.onset_s[0], events.duration_s[0], events.trial_type) == (1.5, 0.0, ("face",))


@pytest.mark.parametrize("onset", ["n/a", "soon", "inf"])
def test_onset_that_is_no_time_is_refused_with_its_line(onset):
    with pytest.raises(UserError, match=f"run/events.tsv: line 3 has onset '{onset}'"):
        parse_events(f"onset\tduration\n1.0\t0\n{onset}\t0\n", "run/events.tsv")
