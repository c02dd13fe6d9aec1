"""Every code that comes on trigger lines is an event, or the run says why it is none."""

import re

import mne
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossmodal.config.recordings import Triggers
from preprocessing.readers.events.annotations import recorded_events
from preprocessing.readers.events.triggers import line_events, trigger_events

_SFREQ = 200.0


def _recorded(n_samples=2000, first_samp=300, **lines):
    """Make a recording of one electrode and trigger lines, each given as (start, stop, number) on a number it rests at."""
    names = ["Cz", *lines]
    info = mne.create_info(names, _SFREQ, ["eeg"] + ["stim"] * len(lines))
    data = np.zeros((len(names), n_samples))
    for row, (rest, *stretches) in zip(data[1:], lines.values(), strict=True):
        row[:] = rest
        for start, stop, number in stretches:
            row[start:stop] = number
    return mne.io.RawArray(data, info, first_samp=first_samp, verbose="error")


def _found(raw):
    events, notes = recorded_events(raw)
    return list(zip(np.round(events.onset_s * _SFREQ).astype(int).tolist(), events.trial_type, strict=True)), " | ".join(notes)


def test_a_code_of_one_sample_is_an_event(tmp_path):
    raw = _recorded(STI101=(0, (200, 201, 3), (600, 601, 4), (1999, 2000, 5)))
    assert _found(raw) == ([(200, "3"), (600, "4"), (1999, "5")], "")
    raw.save(tmp_path / "a_raw.fif", verbose="error")
    assert _found(mne.io.read_raw_fif(tmp_path / "a_raw.fif", verbose="error"))[0] == [(200, "3"), (600, "4"), (1999, "5")]


@pytest.mark.parametrize(
    ("line", "events", "note"),
    [
        ((0, (200, 240, 5), (220, 240, 5 + 4096)), [(200, "5"), (220, "4101")], ""),
        ((0, (200, 240, 5), (240, 280, 3)), [(200, "5"), (240, "3")], ""),
        ((0, (200, 240, 3), (240, 280, 1)), [(200, "3")], "falls 1 times to a code that was part of the one before, .*: 3 to 1"),
        ((0, (0, 40, 5), (600, 640, 6)), [(600, "6")], "holds 5 from the first sample on"),
        ((0, (1900, 2000, 5)), [(1900, "5")], ""),
        ((0, (200, 201, 4), (201, 240, 5)), [(201, "5")], "holds 1 codes for one sample on the way to others, .*: 4 before 5"),
        ((0, (200, 240, 5), (240, 241, 7), (241, 280, 3)), [(200, "5"), (241, "3")], "7 before 3"),
        ((0, (200, 240, -32768), (600, 640, -32763)), [(200, "32768"), (600, "32773")], "-32768 as 32768"),
        ((0, (200, 240, 40000), (600, 640, 65535)), [(200, "40000"), (600, "65535")], ""),
        ((0, (200, 240, -(2**31))), [(200, str(2**31))], "32 bits without a sign"),
        ((0, (200, 240, 4.98)), [(200, "5")], "not whole"),
        ((0, (200, 240, 0.003)), [], "not whole"),
        ((2**20 + 256, (200, 240, 2**20 + 256 + 7), (0, 1, 2**20 + 2**16 + 256)), [(200, "7")], "rests at 1048832"),
        ((255, (200, 240, 250), (600, 601, 254)), [(200, "5"), (600, "1")], "rests at 255"),
        ((1, (200, 240, 0)), [(200, "1")], "rests at 1"),
        ((5, (200, 240, 5)), [], ""),
        ((8, (0, 900, 9), (900, 1400, 10), (1400, 2000, 12)), [(900, "2"), (1400, "4")], r"set throughout \(8\)"),
    ],
)
def test_what_a_line_holds_is_read_or_told(line, events, note):
    found, notes = _found(_recorded(Status=line))
    assert found == events
    if note:
        assert re.search(note, notes), notes
    else:
        assert notes == ""


@settings(max_examples=20)
@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(1, 255)), min_size=1, max_size=10),
    st.integers(0, 2**16 - 1),
    st.booleans(),
)
def test_pulses_on_any_rest_are_all_found(pulses, high, inverted):
    """Whatever bits are set all the time, and whether pulses pull bits up or down."""
    rest = (high << 8) + (255 if inverted else 0)
    stretches = [(100 * number, 100 * number + length, rest ^ code) for number, (length, code) in enumerate(pulses, start=1)]
    found, notes = _found(_recorded(Status=(rest, *stretches)))
    assert found == [(100 * number, str(code)) for number, (_, code) in enumerate(pulses, start=1)]
    assert bool(notes) == bool(rest)


def test_a_comment_hides_no_trigger_and_repeated_ones_are_single():
    raw = _recorded(STI101=(0, (200, 240, 3), (600, 640, 4), (1000, 1040, 3)))
    raw.set_annotations(mne.Annotations([0.5, 3.0 + 0.004, 4.0], [0.0, 0.2, 1.0], ["subject moved", "face", "BAD_x"]))
    found, notes = _found(raw)
    assert found == [(100, "subject moved"), (200, "3"), (601, "face"), (1000, "3")]
    assert "its events are 2 annotations and 2 codes of trigger lines; 1 more codes come when an annotation begins" in notes
    raw.set_annotations(mne.annotations_from_events(mne.find_events(raw, verbose="error"), _SFREQ, {3: "a", 4: "b"}, first_samp=300))
    assert [name for _, name in _found(raw)[0]] == ["a", "b", "a"]


def test_lines_of_one_bit_are_put_together():
    lines = {"STI001": (0, (200, 240, 5)), "STI003": (0, (200, 240, 5), (600, 640, 5)), "STI016": (5, (1000, 1040, 0))}
    found, notes = _found(_recorded(**lines))
    assert found == [(200, "5"), (600, "4"), (1000, "32768")]
    assert "put together from STI001, STI003, STI016" in notes
    assert "rests at 5" in notes
    found, notes = _found(_recorded(**lines, STI101=(0, (200, 240, 5), (600, 640, 4))))
    assert (found, notes) == ([(200, "5"), (600, "4")], "")


def test_lines_of_other_names_are_told_apart():
    found, notes = _found(_recorded(TRIGGER=(0, (200, 240, 5)), RESPONSE=(0, (300, 340, 5)), flat=(7,)))
    assert (found, notes) == ([(200, "TRIGGER/5"), (300, "RESPONSE/5")], "")
    found, notes = _found(_recorded(**{"STI 014": (0, (200, 240, 5)), "STI201": (0, (300, 340, 5))}))
    assert found == [(200, "5")]
    assert "its lines STI201 change, too, and are not read as triggers" in notes
    assert _found(_recorded(STI101=(0,), STI301=(0, (300, 340, 5))))[0] == []


def test_named_codes_are_met_as_stored_or_from_rest():
    raw = _recorded(Status=(65280, (200, 240, 65285), (600, 640, 65286)))
    for codes in ({"a": (5,), "b": (6,)}, {"a": (65285,), "b": (65286,)}):
        events, notes = trigger_events(raw, Triggers(channel="Status", codes=codes), "a.fif")
        assert events.trial_type == ("a", "b")
        assert ("rests at 65280" in " ".join(notes)) == (codes["a"] == (5,))
    assert trigger_events(raw, Triggers(channel="Status", mask=65280, codes={"a": (5,)}), "a.fif")[1] == ()


def test_a_recording_without_lines_has_no_codes():
    assert line_events(_recorded())[0].trial_type == ()
