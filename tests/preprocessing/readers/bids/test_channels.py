from preprocessing.readers.bids.channels import parse_channels

_META = "ds000117_bids/sub-01/ses-meg"


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
