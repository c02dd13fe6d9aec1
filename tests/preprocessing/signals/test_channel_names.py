"""Rows of channels.tsv and electrodes.tsv find their channels, whatever a recorder dressed their names in."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossmodal.config import UserError
from crossmodal.config.preprocessing import BidsRecordings, Preprocessing
from preprocessing.readers.reading import list_recordings, open_recording
from preprocessing.recording import preprocess_recording
from preprocessing.signals.channel_names import match_rows
from tests.preprocessing.readers.formats.edf import write_edf
from tests.preprocessing.readers.layouts import noise

_ROWS = ("Fz", "C3", "C4", "E1")


@pytest.fixture
def dataset(tmp_path):
    """Write EDF whose channels are called one way, and tables of these rows; give the entry and where it is listed from."""

    def write(channels, rows=_ROWS, types=("EEG", "EEG", "EEG", "EOG"), statuses=("good", "bad", "good", "good"), electrodes=()):
        folder = tmp_path / "ds/sub-01/eeg"
        folder.mkdir(parents=True)
        (tmp_path / "ds/dataset_description.json").write_text(json.dumps({"Name": "x", "BIDSVersion": "1.8.0"}))
        write_edf(folder / "sub-01_task-x_eeg.edf", noise(len(channels), 1000), channels, ["uV"] * len(channels), 100)
        listed = zip(rows, types, statuses, strict=True)
        lines = ["name\ttype\tunits\tstatus", *(f"{name}\t{kind}\tuV\t{status}" for name, kind, status in listed)]
        (folder / "sub-01_task-x_channels.tsv").write_text("\n".join(lines))
        if electrodes:
            places = [f"{name}\t{0.01 * number}\t0.05\t0.08" for number, name in enumerate(electrodes)]
            (folder / "sub-01_electrodes.tsv").write_text("\n".join(["name\tx\ty\tz", *places]))
            system = {"EEGCoordinateSystem": "CapTrak", "EEGCoordinateUnits": "m"}
            (folder / "sub-01_coordsystem.json").write_text(json.dumps(system))
        recordings = BidsRecordings(root=str(tmp_path / "ds"), datatype="eeg")
        (entry,) = list_recordings(recordings)
        return entry, recordings, tmp_path

    return write


@pytest.mark.parametrize(
    "channels",
    [
        ["EEG Fz-Ref", "EEG C3-Ref", "EEG C4-Ref", "EEG E1-Ref"],
        ["EEG Fz-LE", "EEG C3-LE", "EEG C4-LE", "EOG E1-LE"],
        ["Fz-M1", "C3-A2", "C4-A1", "E1-M2"],
        ["EEG-FZ", "eeg_c3", "EEG  C4", "EEG:e1"],
        ["Fz..", "C3..", "C4..", "E1.."],
        ["fz", "c3", "C 4", "e1"],
    ],
)
def test_rows_find_channels_of_dressed_names(dataset, channels):
    opened = open_recording(*dataset(channels))
    assert opened.channels.bad == (channels[1],)
    assert opened.channels.types == dict(zip(channels, ["eeg", "eeg", "eeg", "eog"], strict=True))
    (note,) = [note for note in opened.notes if "channels.tsv" in note]
    assert f"matched to channels of other names: Fz as {channels[0]}, C3 as {channels[1]}" in note


def test_exact_names_need_no_word(dataset):
    opened = open_recording(*dataset(list(_ROWS)))
    assert opened.channels.bad == ("C3",)
    assert not [note for note in opened.notes if "channels.tsv" in note]


@pytest.mark.parametrize("status", ["bad", "Bad", "BAD ", " bad"])
def test_status_is_read_in_any_case(dataset, status):
    assert open_recording(*dataset(list(_ROWS), statuses=("good", status, "Good", "n/a"))).channels.bad == ("C3",)


def test_rows_that_fit_no_channel_are_told_one_by_one(dataset):
    opened = open_recording(*dataset(["Fz", "C3", "C4", "Heart"]))
    (note,) = [note for note in opened.notes if "channels.tsv" in note]
    assert note.endswith("_channels.tsv: E1 name no channel of the recording")


@pytest.mark.parametrize(
    ("channels", "found"),
    [
        (["A1", "A2", "A3", "A4"], r"_channels.tsv: none of its 4 rows \(Fz, C3, C4, E1\) names a channel .* \(A1, A2, A3, A4\)"),
        (["Fz", "C3-A1", "C3-A2", "E1"], "_channels.tsv: C3 fits channels C3-A1 and C3-A2 alike"),
        (["Fz", "C3", "C3", "E1"], "_channels.tsv: C3 fits channels C3-0 and C3-1 alike"),
    ],
)
def test_tables_of_another_recording_and_of_two_meanings_are_refused(dataset, channels, found):
    with pytest.raises(UserError, match=found):
        open_recording(*dataset(channels))


def test_twins_of_table_and_recording_are_told_apart_alike(dataset):
    opened = open_recording(*dataset(["C3", "Fz", "C3", "E1"], rows=("C3", "Fz", "C3", "E1"), statuses=("good", "good", "bad", "good")))
    assert opened.channels.bad == ("C3-1",)


def test_two_rows_of_one_channel_are_refused():
    with pytest.raises(UserError, match="a.tsv: C3 and c3 fit channel EEG C3 alike"):
        match_rows(["C3", "c3"], ["EEG C3", "Fz"], "a.tsv")


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from(["Fp1", "Fz", "C3", "Cz", "FC5", "T7", "A1", "O2"]), min_size=1, unique=True),
    st.sampled_from(["", "EEG ", "EEG-", "eeg_", "POL "]),
    st.sampled_from(["", "-Ref", "-REF", "-LE", "-A1", " - M2", ".", "..", " "]),
    st.sampled_from([str, str.upper, str.lower]),
)
def test_any_dress_comes_off_and_never_changes_who_is_who(names, before, after, cased):
    channels = {name: before + cased(name) + after for name in names}
    assert match_rows(names, list(channels.values()), "a.tsv").channels == channels
    assert match_rows(list(channels.values()), names, "a.tsv").channels == {dressed: name for name, dressed in channels.items()}


def test_derivation_is_no_dress():
    assert match_rows(["Fpz", "Cz"], ["Fpz-Cz", "Cz"], "a.tsv").channels == {"Cz": "Cz"}


def test_electrodes_find_channels_of_dressed_names(dataset):
    channels = ["EEG Fz-Ref", "EEG C3-Ref", "EEG C4-Ref", "EEG E1-Ref"]
    opened = open_recording(*dataset(channels, electrodes=("Fz", "C3", "C4", "GND")))
    assert np.isfinite([channel["loc"][:3] for channel in opened.raw.info["chs"][:3]]).all()
    told = [note.partition("electrodes.tsv: ")[2] for note in opened.notes if "electrodes.tsv" in note]
    assert told[0].startswith("its rows were matched to channels of other names: Fz as EEG Fz-Ref")
    assert told[1] == "GND name no channel of the recording"


def test_electrodes_of_another_cap_are_refused(dataset):
    with pytest.raises(UserError, match="_electrodes.tsv: none of its 3 rows"):
        open_recording(*dataset(list(_ROWS), electrodes=("A1", "A2", "A3")))


def test_what_is_bad_and_what_is_an_eye_stays_so_in_the_shard(dataset):
    entry, recordings, scratch = dataset(["EEG Fz-Ref", "EEG C3-Ref", "EEG C4-Ref", "EEG E1-Ref"])
    with pytest.raises(UserError, match=r"bad channels EEG C3-Ref \(marked bad\)"):
        preprocess_recording(entry, recordings, Preprocessing(modalities=("eeg",)), scratch)
