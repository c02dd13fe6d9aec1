"""What events.tsv says happened, and what it marks."""

import numpy as np
import pytest

from crossmodal.config import UserError
from preprocessing.readers.bids.events import parse_events

_META = "ds000117_bids/sub-01/ses-meg"


def names(table):
    return parse_events(table, "events.tsv").events.trial_type


def test_real_events_are_named_by_stimulus(real_data):
    text = (real_data / _META / "meg/sub-01_ses-meg_task-facerecognition_run-01_events.tsv").read_text()
    table = parse_events(text, "events.tsv")
    assert table.events.onset_s[0] == 24.2073
    assert set(table.events.trial_type) == {"Famous", "Unfamiliar", "Scrambled"}
    assert table.notes == ()
    np.testing.assert_allclose(table.events.shifted(0.0345).onset_s - table.events.onset_s, 0.0345)


def test_trial_type_wins_and_missing_durations_are_zero():
    events = parse_events("onset\tduration\tvalue\ttrial_type\n1.5\tn/a\t5\tface\n", "events.tsv").events
    assert (events.onset_s[0], events.duration_s[0], events.trial_type) == (1.5, 0.0, ("face",))


@pytest.mark.parametrize("onset", ["n/a", "soon", "inf"])
def test_onset_that_is_no_time_is_refused_with_its_line(onset):
    with pytest.raises(UserError, match=f"run/events.tsv: line 3 has onset '{onset}'"):
        parse_events(f"onset\tduration\n1.0\t0\n{onset}\t0\n", "run/events.tsv")


@pytest.mark.parametrize("column", ["value", "stim_type", "trigger", "event_type", "condition", "code", "type"])
@pytest.mark.parametrize("nothing", ["n/a", "N/A", "nan", ""])
def test_the_column_that_says_something_names_the_event(column, nothing):
    table = parse_events(f"onset\tduration\ttrial_type\t{column}\n2\t0\t{nothing}\t3\n5\t0\t{nothing}\t4\n", "events.tsv")
    assert table.events.trial_type == ("3", "4")
    assert table.notes == (f"names 2 of 2 events by the column '{column}' of events.tsv, as 'trial_type' says n/a",)


def test_a_single_row_is_named_by_another_column():
    assert names("onset\ttrial_type\tvalue\n1\tgo\t1\n2\tn/a\t7\n") == ("go", "7")


def test_events_without_any_name_are_told():
    table = parse_events("onset\ttrial_type\tresponse_time\n1\tgo\t.5\n2\tn/a\t.4\n", "events.tsv")
    assert table.events.trial_type == ("go", "event")
    assert table.notes == ("calls 1 of 2 events 'event', as no column of events.tsv names them",)


def test_rows_of_bad_spans_and_boundaries_are_no_events():
    table = parse_events("onset\tduration\ttrial_type\n2\t0\tgo\n10\t2\tBAD_movement\n20\t0\tBoundary\n25\t1\tbad acq skip\n", "events.tsv")
    assert table.events.trial_type == ("go",)
    assert table.marks.trial_type == ("BAD_movement", "Boundary", "bad acq skip")
    assert table.marks.onset_s.tolist() == [10.0, 20.0, 25.0]
    assert table.marks.duration_s.tolist() == [2.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("trial_type", "value", "mark"),
    [
        ("n/a", "BAD_movement", "BAD_movement"),
        ("STATUS", "boundary", "boundary"),
        ("Comment", "BAD_movement", "BAD_movement"),
        ("boundary", "-99", "boundary"),
        ("New Segment", "n/a", "New Segment"),
        ("n/a", "-99", "-99"),
        # A rating, and a code that is missing.
        ("feedback", "bad", ""),
        ("face", "-99", ""),
    ],
)
def test_marks_in_a_column_beside_the_name(trial_type, value, mark):
    table = parse_events(f"onset\tduration\ttrial_type\tvalue\n1\t0\t{trial_type}\t{value}\n", "events.tsv")
    assert table.marks.trial_type == ((mark,) if mark else ())
    assert table.events.trial_type == (() if mark else (trial_type,))
