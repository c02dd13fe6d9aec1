"""A number becomes volts by the unit that somebody wrote beside it, or by none."""

import json

import mne
import numpy as np
import pytest
from mne.io.constants import FIFF

from crossmodal.config import UserError
from crossmodal.config.preprocessing import BidsRecordings, FileEntry, FileRecordings, Preprocessing
from preprocessing.readers.formats.brainvision_header import header_units, mended_header
from preprocessing.readers.reading import list_recordings
from preprocessing.recording import preprocess_recording
from preprocessing.signals.units import is_no_voltage, volts_of
from tests.preprocessing.readers.formats.edf import write_edf
from tests.preprocessing.readers.layouts import noise, write_brainvision

_NAMES = ("Fz", "C3", "C4", "Oz")
_SFREQ = 100
# What is read stays as it is.
_EEG = Preprocessing(modalities=("eeg",), average_reference=False, highpass_hz=None, lowpass_hz=None, sfreq=None)


@pytest.fixture
def recorded(tmp_path):
    """Write EEG of 20 uV in these units, each number as large as its unit needs, and give what its shard holds and was told."""

    def write(units, listed=None, types=("EEG",) * 4, form=".edf", sizes=None, settings=None, names=_NAMES):
        folder = tmp_path / "ds/sub-01/eeg"
        folder.mkdir(parents=True)
        (tmp_path / "ds/dataset_description.json").write_text(json.dumps({"Name": "x", "BIDSVersion": "1.8.0"}))
        numbers_ct = noise(len(names), 2000) * np.array(sizes or (1,) * len(names))[:, None]
        path = folder / f"sub-01_task-x_eeg{form}"
        if form == ".vhdr":
            write_brainvision(path, numbers_ct, list(names), _SFREQ, [("Stimulus", "S  1", 400)], units=units)
        else:
            write_edf(path, numbers_ct, names, units, _SFREQ)
        if listed:
            rows = [f"{name}\t{kind}\t{unit}" for name, kind, unit in zip(names, types, listed, strict=True)]
            (folder / "sub-01_task-x_channels.tsv").write_text("\n".join(["name\ttype\tunits", *rows]), encoding="utf-8")
        recordings = BidsRecordings(root=str(tmp_path / "ds"), datatype="eeg", **(settings or {}))
        (entry,) = list_recordings(recordings)
        made = preprocess_recording(entry, recordings, _EEG, tmp_path)
        eeg = made.signals["eeg"]
        return dict(zip(eeg.names, eeg.data_tc.std(axis=0), strict=True)), made.provenance["notes"]

    return write


@pytest.mark.parametrize(
    "spelling", ["uV", "UV", "uv", "µV", "μV", "\u039cV", "microV", "MicroVolt", "microvol", "[µV]", "micro volts", "ÂµV", "Î¼V"]
)
def test_microvolts_in_every_spelling(spelling):
    assert volts_of(spelling) == 1e-6
    assert not is_no_voltage(spelling)


@pytest.mark.parametrize(("spelling", "volts"), [("mV", 1e-3), ("mv", 1e-3), ("millivolt", 1e-3), ("nV", 1e-9), ("V", 1.0), ("Volts", 1.0)])
def test_other_voltages(spelling, volts):
    assert volts_of(spelling) == volts


@pytest.mark.parametrize("spelling", ["", " ", ".V", "?V", "MV", "n/a", "N/A", "uV/bit", "counts", "1", "\ufffdV", "V^2"])
def test_what_may_be_any_voltage_is_unknown(spelling):
    assert volts_of(spelling) is None
    assert not is_no_voltage(spelling)


@pytest.mark.parametrize("spelling", ["%", "DegC", "°C", "C", "BPM", "mmHg", "ARU", "S", "µS", "kOhm", "l/min", "dB", "events"])
def test_what_is_no_voltage_is_known_as_that(spelling):
    assert volts_of(spelling) is None
    assert is_no_voltage(spelling)


@pytest.mark.parametrize("form", [".edf", ".bdf"])
@pytest.mark.parametrize("micro", ["UV", "microV", "microvol", b"\xb5V", b"\xc2\xb5V", b"\xce\xbcV", b"\x83\xcaV"])
def test_edf_in_every_spelling_of_microvolts(recorded, form, micro):
    sizes_v, _ = recorded([micro] * 4, form=form)
    assert sizes_v == pytest.approx(dict.fromkeys(sizes_v, 2e-5), rel=0.1)


@pytest.mark.parametrize("form", [".edf", ".vhdr"])
def test_units_of_one_file_may_differ(recorded, form):
    sizes_v, _ = recorded(["uV", "mv", "V", "nV"], sizes=(1, 1e-3, 1e-6, 1e3), form=form)
    assert sizes_v == pytest.approx(dict.fromkeys(_NAMES, 2e-5), rel=0.1)


@pytest.mark.parametrize("written", ["", ".V", "MV"])
def test_unit_that_the_file_lacks_is_that_of_channels_tsv(recorded, written):
    sizes_v, _ = recorded([written] * 4, listed=("µV", "microV", "mV", "V"), sizes=(1, 1, 1e-3, 1e-6))
    assert sizes_v == pytest.approx(dict.fromkeys(_NAMES, 2e-5), rel=0.1)


@pytest.mark.parametrize(("listed", "found"), [(None, "Oz (blank)"), (("uV", "uV", "uV", "n/a"), "Oz ('n/a')")])
def test_channel_without_any_unit_is_refused_by_name(recorded, listed, found):
    with pytest.raises(UserError, match="has no known unit of voltage for " + found.replace("(", r"\(").replace(")", r"\)")):
        recorded(["uV", "uV", "uV", ""], listed=listed)


def test_channel_without_any_unit_may_be_retyped(recorded):
    sizes_v, _ = recorded(["uV", "uV", "uV", ""], settings={"channel_types": {"Oz": "misc"}})
    assert set(sizes_v) == {"Fz", "C3", "C4"}


@pytest.mark.parametrize("form", [".edf", ".vhdr"])
def test_what_is_no_voltage_is_no_eeg(recorded, form):
    sizes_v, notes = recorded(["uV", "uV", "%", "DegC"], form=form)
    assert set(sizes_v) == {"Fz", "C3"}
    assert "taken as misc, for their units are no voltages: C4 (%), Oz (DegC)" in notes


def test_recording_of_nothing_but_other_units_is_refused_with_them(recorded):
    with pytest.raises(UserError, match=r"has no EEG channel \(Fz \(kOhm\), C3 \(kOhm\), C4 \(kOhm\), Oz \(kOhm\) are no voltages\)"):
        recorded(["kOhm"] * 4)


def test_what_is_no_voltage_cannot_be_made_eeg(recorded):
    with pytest.raises(UserError, match=r"has no known unit of voltage for Oz \(%\)"):
        recorded(["uV", "uV", "uV", "%"], settings={"channel_types": {"Oz": "eeg"}})


def test_no_voltage_that_channels_tsv_calls_one_is_refused(recorded):
    with pytest.raises(UserError, match=r"Oz \('%' in the file, 'uV' in channels.tsv\)"):
        recorded(["uV", "uV", "uV", "%"], listed=("uV",) * 4)


def test_file_is_believed_over_channels_tsv_and_the_run_says_so(recorded):
    sizes_v, notes = recorded(["uV"] * 4, listed=("V",) * 4)
    assert sizes_v == pytest.approx(dict.fromkeys(_NAMES, 2e-5), rel=0.1)
    assert "channels.tsv has other units than the recording, which is believed: Fz (V), C3 (V), C4 (V), Oz (V)" in notes


@pytest.mark.parametrize("written", ["nV", "mV"])
def test_file_is_not_believed_over_channels_tsv_where_it_is_odd(recorded, written):
    with pytest.raises(UserError, match="in which channels.tsv has 'uV' and the file another unit"):
        recorded([written] * 4, listed=("uV",) * 4)


@pytest.mark.parametrize("micro", ["", " ", "µV", "uV", "UV", "μV", "microV"])
def test_brainvision_in_every_spelling_of_microvolts(recorded, micro):
    """The format has microvolts where nothing is written."""
    sizes_v, _ = recorded([micro] * 4, form=".vhdr")
    assert sizes_v == pytest.approx(dict.fromkeys(_NAMES, 2e-5), rel=0.1)


def test_misc_of_brainvision_that_is_an_eeg_is_in_its_unit(recorded):
    """Recorders write n/a for auxiliary inputs, whose numbers nobody has scaled."""
    sizes_v, _ = recorded(
        ["uV", "uV", "n/a", "n/a"],
        listed=("uV", "uV", "mV", "°C"),
        types=("EEG", "EEG", "EEG", "MISC"),
        form=".vhdr",
        sizes=(1, 1, 1e-3, 1),
    )
    assert sizes_v == pytest.approx(dict.fromkeys(("Fz", "C3", "C4"), 2e-5), rel=0.1)


def test_unit_of_brainvision_that_says_nothing_is_refused(recorded):
    with pytest.raises(UserError, match=r"has no known unit of voltage for C3 \('.V'\)"):
        recorded(["uV", ".V", "uV", "uV"], form=".vhdr")


def test_twins_of_brainvision_are_told_apart_as_those_of_edf(recorded):
    sizes_v, _ = recorded(["uV", "uV", "mV", "uV"], names=("Fz", "C3", "C3", "Oz"), sizes=(1, 1, 1e-3, 1), form=".vhdr")
    assert sizes_v == pytest.approx(dict.fromkeys(("Fz", "C3-0", "C3-1", "Oz"), 2e-5), rel=0.1)


def test_twins_of_brainvision_are_found_in_the_amplifiers_settings():
    """MNE reads filters from a table in which it looks for the name; a comma within it is written as a backslash and 1."""
    header = "[Channel Infos]\nCh1=A\\1B,,1,UV\nCh2=A\\1B,,1,%\n[Comment]\n1     A\\1B   1   0.5 µV\n2     A\\1B   2   0.5 µV\n"
    mended = "[Channel Infos]\nCh1=A\\1B-0,,1,µV\nCh2=A\\1B-1,,1,n/a\n[Comment]\n1     A\\1B-0   1   0.5 µV\n2     A\\1B-1   2   0.5 µV\n"
    assert mended_header(header) == mended
    assert header_units(header) == ["UV", "%"]


@pytest.mark.parametrize(("unit", "multiplier", "found"), [(FIFF.FIFF_UNIT_NONE, 0, "blank"), (FIFF.FIFF_UNIT_V, -6, r"'V x 10\^-6'")])
def test_fif_whose_unit_is_not_volts_is_refused(make_raw, tmp_path, unit, multiplier, found):
    raw = make_raw().pick("eeg")
    raw.info["chs"][0].update(unit=unit, unit_mul=multiplier)
    raw.save(tmp_path / "a_raw.fif", verbose="error")
    with pytest.raises(UserError, match=rf"has no known unit of voltage for Fp1 \({found}\)"):
        _one_file(tmp_path / "a_raw.fif", tmp_path)


@pytest.mark.parametrize(("size", "refused"), [(1, None), (1e-6, "2e-11 V rms .* a factor of 1e\\+06 would fit")])
def test_eeglab_is_in_microvolts(tmp_path, size, refused):
    raw = mne.io.RawArray(1e-6 * size * noise(4, 2000), mne.create_info(list(_NAMES), _SFREQ, "eeg"), verbose="error")
    mne.export.export_raw(tmp_path / "a.set", raw, verbose="error")
    if refused:
        with pytest.raises(UserError, match=f"a.set: its EEG has {refused}"):
            _one_file(tmp_path / "a.set", tmp_path)
    else:
        assert _one_file(tmp_path / "a.set", tmp_path).signals["eeg"].data_tc.std() == pytest.approx(2e-5, rel=0.1)


def test_channels_tsv_beside_a_file_that_is_named_by_itself_tells_its_units(tmp_path):
    write_edf(tmp_path / "sub-01_task-x_eeg.edf", noise(4, 2000), _NAMES, [""] * 4, _SFREQ)
    (tmp_path / "sub-01_task-x_channels.tsv").write_text("name\tunit\n" + "".join(f"{name}\tuV\n" for name in _NAMES))
    made = _one_file(tmp_path / "sub-01_task-x_eeg.edf", tmp_path)
    assert made.signals["eeg"].data_tc.std() == pytest.approx(2e-5, rel=0.1)


def _one_file(path, scratch):
    recordings = FileRecordings(files=(FileEntry(path=str(path), subject="01"),))
    (entry,) = list_recordings(recordings)
    return preprocess_recording(entry, recordings, _EEG, scratch)
