"""The same bad spans and boundaries, in whatever spelling and whichever file they are written."""

import mne
import numpy as np
import pytest
import scipy.io

from crossmodal.config.preprocessing import BidsRecordings, FileEntry, FileRecordings, Preprocessing
from crossmodal.config.recordings import Triggers
from preprocessing.readers.events.annotations import recorded_events, settle_marks, tell_marks
from preprocessing.readers.events.timed_events import TimedEvents
from preprocessing.readers.formats.opening import read_raw_file
from preprocessing.readers.reading import list_recordings, open_recording
from preprocessing.recording import preprocess_recording
from preprocessing.signals.marks import settled
from preprocessing.signals.spans import bad_spans, continuous_pieces
from preprocessing.steps.filtering import filter_recording
from tests.preprocessing.readers import layouts

BAD = [
    "BAD",
    "bad",
    "Bad_movement",
    "BAD movement",
    "bad-movement",
    "bad:movement",
    "BADmovement",
    "bad_interval",
    "Bad Interval/Bad Min-Max",
    "Comment/BAD_movement",
    "Comment/bad_segment",
    "Comment, bad segment",
    "Comment: BAD_movement",
    "Comment BAD_movement",
    "Note - bad segment",
    "Stimulus/Comment/Bad_x",
    " 'BAD_movement'",
]
BOUNDARIES = [
    "boundary",
    "Boundary",
    "BOUNDARY",
    "'boundary'",
    "boundary event",
    "Comment/boundary",
    "New Segment/",
    "New Segment",
    "new_segment",
    "NewSegment",
    "New Segment/LostSamples: 12",
    "-99",
    "-99.0",
    "EDGE boundary",
    "edge",
    "Comment/EDGE boundary",
]


@pytest.mark.parametrize("text", BAD)
def test_bad_in_any_spelling(text):
    assert [name[:3].upper() for name in settled(text)] == ["BAD"]


@pytest.mark.parametrize("text", BOUNDARIES)
def test_boundaries_in_any_spelling(text):
    assert [name[:4].upper() for name in settled(text)] == ["EDGE"]


@pytest.mark.parametrize("text", ["BAD_ACQ_SKIP", "bad acq skip", "Comment/BAD-ACQ-SKIP"])
def test_skipped_acquisition_is_called_as_mne_does(text):
    assert settled(text) == ("BAD_ACQ_SKIP",)


@pytest.mark.parametrize("text", ["go", "Stimulus/S 99", "99", "-9", "-990", "not bad", "forbade", "Comment/knowledge", "", "/", "abandon"])
def test_what_names_an_event_marks_nothing(text):
    assert settled(text) == ()


@pytest.mark.parametrize("text", [*BAD, *BOUNDARIES])
def test_settled_names_stay_as_they_are(text):
    assert [settled(name) for name in settled(text)] == [(name,) for name in settled(text)]


def marked(raw):
    """Bad seconds that have a length, ends of pieces, and events."""
    spans = [(round(span.start_s, 6), round(span.stop_s, 6)) for span in bad_spans(raw) if span.duration_s > 0.1]
    return spans, [round(piece.stop_s, 6) for piece in continuous_pieces(raw)][:-1], recorded_events(raw)[0].trial_type


@pytest.mark.parametrize("suffix", ["_raw.fif", ".edf", ".vhdr", ".set"])
@pytest.mark.parametrize("boundary", ["boundary", "EDGE boundary", "New Segment"])
def test_every_format_says_the_same(make_raw, tmp_path, suffix, boundary):
    raw = make_raw().pick("eeg")
    marks = [(1.0, 0.0, "go"), (2.0, 1.0, "Bad_movement"), (5.0, 0.0, boundary), (7.0, 0.5, "BAD_ACQ_SKIP"), (9.0, 0.0, "go")]
    raw.set_annotations(mne.Annotations(*(list(each) for each in zip(*marks, strict=True))))
    path = tmp_path / f"a{suffix}"
    if suffix == "_raw.fif":
        raw.save(path, verbose="error")
    else:
        mne.export.export_raw(path, raw, verbose="error")
    spans, ends, events = marked(read_raw_file(path))
    assert spans == [(2.0, 3.0), (7.0, 7.5)]
    assert ends == [5.0, 7.0]
    assert [name.removeprefix("Comment/") for name in events] == ["go", "go"]


def test_codes_of_erplab_and_lengths_that_are_nan(tmp_path):
    """Events are numbers, cuts lie between two samples, and a length is a fraction or missing."""
    events = np.zeros(3, dtype=[("type", object), ("latency", object), ("duration", object)])
    events[0], events[1], events[2] = (1.0, 401.0, 0.0), (-99.0, 1000.5, np.nan), (-99.0, 1500.5, 123.7)
    channels = np.array([("Cz",), ("Pz",)], dtype=[("labels", object)])
    eeg = {"nbchan": 2, "trials": 1, "pnts": 2000, "srate": 200.0, "data": layouts.noise(2, 2000), "chanlocs": channels, "event": events}
    scipy.io.savemat(tmp_path / "a.set", {"EEG": eeg}, appendmat=False)
    assert marked(read_raw_file(tmp_path / "a.set")) == ([], [5.0, 7.5], ("1.0",))


def test_what_reaches_beyond_the_recording_is_cut_to_it(make_raw):
    raw = make_raw().crop(tmin=1.0)
    names = ("BAD_a", "BAD_b", "BAD_c", "boundary", "boundary")
    settle_marks(raw, TimedEvents(np.array([-1.0, 8.5, -3.0, 0.0, 9.0]), np.array([1.5, 9.0, 1.0, 0.0, 0.0]), names))
    settle_marks(raw)
    assert marked(raw) == ([(0.0, 0.5), (8.5, 9.0)], [], ())
    raw.load_data().filter(1.0, 40.0, verbose="error")


def test_overlapping_marks_are_counted_once(make_raw):
    raw = make_raw()
    raw.set_annotations(mne.Annotations([1.0, 1.5, 4.0, 4.0], [1.0, 1.0, 0.0, 0.0], ["BAD_a", "badge", "bad", "BAD boundary"]))
    settle_marks(raw)
    assert tell_marks(raw) == (
        "masks what 4 annotations or rows of events.tsv call bad, 'BAD_a', 'badge', 'BAD boundary', 'bad': 1.50 s",
        "masks one sample at each of 2 of them that have no length, 'BAD boundary', 'bad'",
        "filters apart what lies on both sides of boundaries, 'EDGE boundary'",
    )
    assert [span.start_s for span in bad_spans(raw)] == pytest.approx([1.0, 1.5, 4.0, 4.0, 4.0])


def test_a_dated_recording_and_one_that_begins_late(make_raw):
    for dated in (None, 1.6e9):
        raw = make_raw().set_meas_date(dated)
        raw.set_annotations(mne.Annotations([4.0, 6.0], [1.0, 0.0], ["Comment/bad", "boundary"]))
        raw.crop(tmin=2.0)
        settle_marks(raw)
        assert marked(raw) == ([(2.0, 3.0)], [4.0], ())


def test_a_comment_of_brainvision_masks_what_it_spans(tmp_path):
    markers = [("Comment", "go", 400), ("Comment", "BAD_movement", 2000)]
    layouts.write_brainvision(tmp_path / "a.vhdr", layouts.noise(4, 4000), ["Fz", "C3", "C4", "Oz"], 200.0, markers)
    table = tmp_path / "a.vmrk"
    table.write_text(table.read_text().replace("BAD_movement,2001,1,", "BAD_movement,2001,400,"))
    recordings = FileRecordings(files=(FileEntry(path=str(tmp_path / "a.vhdr"), subject="1"),))
    made = preprocess_recording(list_recordings(recordings)[0], recordings, Preprocessing(modalities=("eeg",)), tmp_path)
    assert not made.good[1000:1200].any()
    assert made.events.trial_type == ("Comment/go",)


@pytest.fixture
def listed(bids, tmp_path):
    """Open a dataset's recording with other rows in its events.tsv."""

    def opened(rows, **settings):
        root = bids("01")
        next(root.rglob("*_events.tsv")).write_text("onset\tduration\ttrial_type\n" + rows)
        recordings = BidsRecordings(root=str(root), **settings)
        return open_recording(list_recordings(recordings)[0], recordings, tmp_path)

    return opened


def test_rows_of_events_tsv_mask_and_part_as_annotations_do(listed):
    opened = listed("1\t0\tgo\n2\t1\tBAD_movement\n5\t3\tboundary\n7\t.5\tBAD_ACQ_SKIP\n9\tn/a\tbadge\n", stimulus_delay_s=0.1)
    assert marked(opened.raw)[:2] == ([(2.0, 3.0), (7.0, 7.5)], [5.0, 7.0])
    assert opened.events.trial_type == ("go",)
    assert opened.events.onset_s.tolist() == [1.1]
    assert {(round(span.start_s, 6), round(span.stop_s, 6)) for span in opened.bad_spans} == {(2, 3), (5, 5), (7, 7.5), (9, 9)}
    assert any("'badge'" in note for note in opened.notes)


def test_nothing_is_filtered_across_a_row_that_says_boundary(listed):
    settings = Preprocessing(modalities=("eeg",), highpass_hz=2.0)
    opened = listed("5\t0\tboundary\n")
    whole = opened.raw.load_data().pick("eeg")
    before = whole.copy().crop(tmax=5.0, include_tmax=False).set_annotations(None)
    whole.apply_function(lambda x_t: x_t + 1e-3 * (np.arange(len(x_t)) >= 1000))
    for raw in (whole, before):
        filter_recording(raw, settings, "a.fif")
    np.testing.assert_allclose(whole.get_data()[:, :1000], before.get_data(), atol=1e-12)


def test_rows_mask_and_part_where_events_come_from_a_trigger_line(bids, make_raw, tmp_path):
    root = bids("01")
    raw = make_raw()
    raw.apply_function(lambda line_t: np.where(np.arange(len(line_t)) // 100 == 4, 5.0, 0.0), picks=["STI101"])
    raw.save(next(root.rglob("*_meg.fif")), overwrite=True, verbose="error")
    next(root.rglob("*_events.tsv")).write_text("onset\tduration\ttrial_type\n1\t0\tgo\n2\t1\tBAD_movement\n")
    recordings = BidsRecordings(root=str(root), triggers=Triggers(codes={"face": (5,)}))
    opened = open_recording(list_recordings(recordings)[0], recordings, tmp_path)
    assert opened.events.trial_type == ("face",)
    assert [(round(span.start_s, 6), round(span.stop_s, 6)) for span in opened.bad_spans] == [(2.0, 3.0)]


def test_a_first_segment_of_brainvision_that_begins_late_is_a_boundary(tmp_path):
    layouts.write_brainvision(tmp_path / "a.vhdr", layouts.noise(2, 2000), ["Cz", "Pz"], 200.0, [("Comment", "go", 100)])
    table = tmp_path / "a.vmrk"
    table.write_text(table.read_text().replace("Mk1=New Segment,,1,", "Mk1=New Segment,,1001,"))
    assert marked(read_raw_file(tmp_path / "a.vhdr")) == ([], [5.0], ("Comment/go",))


def test_a_recording_without_marks_says_nothing(listed):
    assert not [note for note in listed("1\t0\tgo\n").notes if "masks" in note or "apart" in note]
