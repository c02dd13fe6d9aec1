"""Names and events of recordings are the same in whatever encoding their headers are."""

import numpy as np
import pytest
import scipy.io
from scipy.io.matlab import _mio5
from scipy.io.matlab._mio5_params import miUINT8, miUINT16, miUTF8, mxCHAR_CLASS

from crossmodal.config import UserError
from crossmodal.config.preprocessing import BidsRecordings
from preprocessing.readers.formats.opening import read_raw_file
from preprocessing.readers.reading import list_recordings, open_recording
from tests.preprocessing.readers import layouts

NAMES = ["Öz", "Fz"]
TEXT = "Spike über Fz"


def said(path):
    raw = read_raw_file(path)
    assert np.ptp(raw.get_data()) > 1e-5
    return raw.ch_names, [(round(float(each["onset"]), 6), str(each["description"])) for each in raw.annotations]


@pytest.fixture
def brainvision(tmp_path):
    """Write a recording whose header and markers are of any encoding and line ends."""

    def write(encoding, end="\n", change=lambda text: text):
        path = tmp_path / "a.vhdr"
        layouts.write_brainvision(path, layouts.noise(2, 2000), NAMES, 200.0, [("Comment", TEXT, 400), ("Stimulus", "S  1", 800)])
        for file in (path, path.with_suffix(".vmrk")):
            text = change(file.read_text(encoding="utf-8")).replace("Codepage=UTF-8\n", "")
            file.write_bytes(text.replace("\n", end).encode(encoding))
        return path

    return write


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_brainvision(brainvision, encoding, end):
    assert said(brainvision(encoding, end)) == (NAMES, [(2.0, f"Comment/{TEXT}"), (4.0, "Stimulus/S  1")])


def test_brainvision_with_spaces_around_its_markers(brainvision):
    path = brainvision("utf-8", change=lambda text: text.replace("Mk2=", " Mk2 = ").replace("[Marker Infos]", " [marker infos] "))
    assert said(path)[1] == [(2.0, f"Comment/{TEXT}"), (4.0, "Stimulus/S  1")]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda text: text.replace(f"{TEXT},401,", f"{TEXT},soon,"), rf"line 8 is no marker \('Mk2=Comment,{TEXT},soon,1,0'\)"),
        (lambda text: text.replace("[Marker Infos]", "[]"), r"has no section \[Marker Infos\]"),
    ],
)
def test_a_marker_file_that_cannot_be_read_is_named_itself(brainvision, change, sentence):
    with pytest.raises(UserError, match=f"a.vmrk: {sentence}"):
        read_raw_file(brainvision("cp1252", change=change))


def write_edf(path, texts, names=(b"Fz", b"Oz")):
    """EDF+C of two channels in 10 records of 1 s, with a text each second."""
    columns = [
        (16, [*names, b"EDF Annotations"]),
        (80, [b""] * 3),
        (8, [b"uV", b"uV", b""]),
        (8, [b"-1000", b"-1000", b"-1"]),
        (8, [b"1000", b"1000", b"1"]),
        (8, [b"-32768"] * 3),
        (8, [b"32767"] * 3),
        (80, [b""] * 3),
        (8, [b"200", b"200", b"40"]),
        (32, [b""] * 3),
    ]
    fixed = [(8, b"0"), (80, b"X"), (80, b"Startdate 01-JAN-2020 X X X"), (8, b"01.01.20"), (8, b"10.00.00"), (8, b"1024"), (44, b"EDF+C")]
    fixed += [(8, b"10"), (8, b"1"), (4, b"3")]
    header = b"".join(value.ljust(size) for size, value in fixed)
    header += b"".join(value.ljust(size) for size, values in columns for value in values)
    samples = np.random.default_rng(0).integers(-600, 600, (10, 400)).astype("<i2")
    records = []
    for second in range(10):
        told = b"+%d\x14\x14\0" % second
        if second < len(texts):
            told += b"+%d\x14%s\x14\0" % (second, texts[second])
        records.append(samples[second].tobytes() + told.ljust(80, b"\0"))
    path.write_bytes(header + b"".join(records))


def test_edf_with_texts_in_two_encodings(tmp_path):
    texts = [TEXT.encode("latin-1"), TEXT.encode("utf-8"), "5 €".encode("cp1252"), b'"go', b"a\tb\r"]
    write_edf(tmp_path / "a.edf", texts, [NAMES[0].encode("latin-1"), NAMES[0].encode("utf-8")[:2] + b"2"])
    with pytest.warns(RuntimeWarning, match="labels or annotations are no UTF-8"):
        names, noted = said(tmp_path / "a.edf")
    assert names == ["Öz", "Ö2"]
    assert noted == [(0.0, TEXT), (1.0, TEXT), (2.0, "5 €"), (3.0, '"go'), (4.0, "a\tb\r")]


def test_edf_with_a_text_of_several_lines(tmp_path):
    write_edf(tmp_path / "a.edf", [b"go", b"Spike\r\n\xfcber Fz", b"stop\x14BAD\nmovement"])
    assert said(tmp_path / "a.edf")[1] == [(0.0, "go"), (1.0, TEXT), (2.0, "stop"), (2.0, "BAD movement")]


@pytest.fixture
def eeglab(tmp_path, monkeypatch):
    """Write a recording whose texts are of one of MATLAB's types."""

    def write(text, kind, encoding, unit):
        def write_char(self, arr, codec="ascii"):
            whole = "".join(arr.reshape(-1))
            self.write_header((1, len(whole)), mxCHAR_CLASS)
            self.write_element(np.frombuffer(whole.encode(encoding), unit), kind)

        monkeypatch.setattr(_mio5.VarWriter5, "write_char", write_char)
        events = np.array([(text, 401.0)], dtype=[("type", object), ("latency", object)])
        channels = np.array([(name,) for name in ("Cz", "Fz")], dtype=[("labels", object)])
        eeg = {"nbchan": 2, "trials": 1, "pnts": 2000, "srate": 200.0, "data": layouts.noise(2, 2000), "chanlocs": channels}
        scipy.io.savemat(tmp_path / "a.set", {"EEG": eeg | {"event": events}}, appendmat=False)
        return tmp_path / "a.set"

    return write


@pytest.mark.parametrize(("kind", "encoding", "unit"), [(miUINT16, "utf-16-le", "<u2"), (miUTF8, "utf-8", "u1")])
def test_eeglab(eeglab, kind, encoding, unit):
    assert said(eeglab(f"{TEXT} € 日本", kind, encoding, unit))[1] == [(2.0, f"{TEXT} € 日本")]


def test_letters_of_eeglab_that_are_lost_are_told(eeglab):
    path = eeglab(TEXT, miUINT8, "latin-1", "u1")
    with pytest.warns(RuntimeWarning, match="has letters that could not be read, .*: Spike \ufffdber Fz; save it again"):
        read_raw_file(path)


def test_eeglab_in_hdf5_is_told_the_way_out(tmp_path):
    (tmp_path / "a.set").write_bytes(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n")
    with pytest.raises(UserError, match=r"a.set: .*it is a MATLAB 7.3 file; save it again in EEGLAB as version 7 or 6"):
        read_raw_file(tmp_path / "a.set")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_sidecars(bids, tmp_path, encoding):
    root = bids("01")
    next(root.rglob("*_events.tsv")).write_bytes(f"onset\ttrial_type\r\n1\t{TEXT}\r\n\t\r\n".encode(encoding))
    next(root.rglob("*_channels.tsv")).write_bytes("name\ttype\tdescription\nP8\tMISC\tgrün\n".encode(encoding))
    recordings = BidsRecordings(root=str(root))
    opened = open_recording(list_recordings(recordings)[0], recordings, tmp_path)
    assert opened.events.trial_type == (TEXT,)
    assert opened.channels.types == {"P8": "misc"}
    guessed = [note for note in opened.notes if "since it is no UTF-8" in note]
    assert len(guessed) == (2 if encoding == "cp1252" else 0)


@pytest.mark.parametrize("name", ["events", "channels"])
def test_a_sidecar_that_is_no_text_is_named_itself(bids, tmp_path, name):
    root = bids("01")
    next(root.rglob(f"*_{name}.tsv")).write_bytes(b"\x1f\x8b\x08\x00\x00\x00")
    recordings = BidsRecordings(root=str(root))
    with pytest.raises(UserError, match=f"_{name}.tsv: cannot be read as text"):
        open_recording(list_recordings(recordings)[0], recordings, tmp_path)
