from datetime import UTC, datetime

import mne
import numpy as np
import pytest

from preprocessing.readers.events.annotations import recorded_events
from preprocessing.signals.spans import bad_spans, continuous_pieces


@pytest.mark.parametrize("dated", [True, False])
def test_annotations_count_from_the_first_sample(make_raw, dated):
    raw = make_raw()
    raw.set_meas_date(datetime(2009, 4, 9, tzinfo=UTC) if dated else None)
    raw.set_annotations(mne.Annotations([3.0, 5.0], [0.5, 0.0], ["BAD jump", "face"]))
    raw.crop(tmin=2.0)
    (span,) = bad_spans(raw)
    events, _ = recorded_events(raw)
    np.testing.assert_allclose([span.start_s, span.stop_s, events.onset_s[0]], [1.0, 1.5, 3.0])
    assert events.trial_type == ("face",)


def test_trigger_line_speaks_where_annotations_do_not(make_raw):
    raw = make_raw(sfreq=200.0)
    raw.apply_function(_with_triggers, picks=["STI101"])
    events, _ = recorded_events(raw)
    np.testing.assert_allclose(events.onset_s, [1.0, 1.1])
    # A button pressed while the picture's code stands is an event of its own.
    assert events.trial_type == ("5", "4101")


def test_boundaries_separate_pieces(make_raw):
    raw = mne.concatenate_raws([make_raw(duration_s=2.0), make_raw(duration_s=5.0)], verbose="error")
    assert [round(piece.duration_s, 6) for piece in continuous_pieces(raw)] == [2.0, 5.0]
    assert [round(span.start_s, 6) for span in bad_spans(raw)] == [2.0, 2.0]


def test_skipped_acquisition_is_no_piece(make_raw):
    raw = make_raw()
    raw.set_annotations(mne.Annotations([4.0], [1.0], ["BAD_ACQ_SKIP"]))
    assert [(round(piece.start_s, 6), round(piece.stop_s, 6)) for piece in continuous_pieces(raw)] == [(0.0, 4.0), (5.0, 10.0)]


def _with_triggers(line_t):
    line_t = np.zeros_like(line_t)
    line_t[200:240], line_t[220:240] = 5, 5 + 4096
    return line_t
