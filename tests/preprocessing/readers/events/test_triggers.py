import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crossmodal.config import UserError
from crossmodal.config.preprocessing import BidsRecordings, FileEntry, FileRecordings, Preprocessing
from crossmodal.config.recordings import Triggers
from preprocessing.readers.events.triggers import trigger_events
from preprocessing.readers.reading import list_recordings
from preprocessing.readers.stores import file_finder
from preprocessing.recording import preprocess_recording, shard_fingerprint

_FACES = {"Famous": (5, 6, 7), "Unfamiliar": (13, 14, 15), "Scrambled": (17, 18, 19)}
_BUTTONS = 4352  # Bits 8 and 12 of ds000117's line.
_DS000117 = Triggers(mask=_BUTTONS, min_duration_s=0.003, codes=_FACES)


def _line(raw, *stretches):
    """Add codes (start sample, stop sample, code) to the trigger line."""

    def write(line_t):
        line_t = np.zeros_like(line_t)
        for start, stop, code in stretches:
            line_t[start:stop] += code
        return line_t

    return raw.apply_function(write, picks=["STI101"])


def test_codes_are_named_and_buttons_ignored(make_raw):
    raw = _line(
        make_raw(sfreq=1000.0),
        (1000, 1400, 5),
        (1100, 1300, 256),
        (2000, 2400, 14),
        (1900, 2100, 4096),
        (3000, 3400, 19),
        (5000, 5100, 4096),
    )
    events, _ = trigger_events(raw, _DS000117, "a.fif")
    np.testing.assert_allclose(events.onset_s, [1.0, 2.0, 3.0])
    assert events.trial_type == ("Famous", "Unfamiliar", "Scrambled")
    assert not events.duration_s.any()


def test_without_the_mask_a_button_hides_a_picture(make_raw):
    raw = _line(make_raw(sfreq=1000.0), (1000, 1400, 5), (1900, 2500, 4096), (2000, 2400, 14))
    assert trigger_events(raw, Triggers(codes=_FACES), "a.fif")[0].trial_type == ("Famous",)


def test_glitches_and_other_codes_are_left_out(make_raw):
    raw = _line(make_raw(sfreq=1000.0), (1000, 1002, 5), (2000, 2003, 6), (3000, 3400, 9))
    np.testing.assert_allclose(trigger_events(raw, _DS000117, "a.fif")[0].onset_s, [2.0])


def test_onsets_count_from_the_first_sample_kept(make_raw):
    raw = _line(make_raw(sfreq=1000.0), (3000, 3400, 5)).crop(tmin=1.5)
    np.testing.assert_allclose(trigger_events(raw, _DS000117, "a.fif")[0].onset_s, [1.5])


@given(st.lists(st.sampled_from([5, 6, 7, 13, 14, 15, 17, 18, 19]), min_size=1, max_size=8), st.sampled_from([0, 256, 4096, 4352]))
def test_any_codes_are_found_whatever_is_held_down_meanwhile(make_raw, codes, held):
    stretches = [(500 * number, 500 * number + 300, code) for number, code in enumerate(codes, start=1)]
    raw = _line(make_raw(sfreq=1000.0), *stretches, (100, 9000, held))
    events, _ = trigger_events(raw, _DS000117, "a.fif")
    np.testing.assert_allclose(events.onset_s, 0.5 * np.arange(1, len(codes) + 1))
    assert events.trial_type == tuple(_DS000117.names[code] for code in codes)


def test_they_take_the_place_of_events_tsv_and_the_delay_is_added_once(bids, make_raw, tmp_path):
    root = bids("01")
    (recording,) = root.rglob("*_meg.fif")
    _line(make_raw(), (400, 500, 5)).save(recording, overwrite=True, verbose="error")
    settings = BidsRecordings(root=str(root), triggers=_DS000117, stimulus_delay_s=0.0345)
    (entry,) = list_recordings(settings)
    events = preprocess_recording(entry, settings, Preprocessing(), tmp_path).events
    assert events.onset_sample.tolist() == [203]  # (2 s + 34.5 ms) at 100 Hz
    assert events.trial_type == ("Famous",)
    without = settings.model_copy(update={"triggers": None})
    names = {shard_fingerprint(entry, each, Preprocessing(), file_finder(each)) for each in (settings, without)}
    assert len(names) == 2


@pytest.mark.parametrize(
    ("triggers", "sentence"),
    [
        (Triggers(channel="STI201", codes=_FACES), "has no trigger line 'STI201' .*; the nearest is 'STI101'"),
        (Triggers(codes={"face": (77,)}), "its trigger line STI101 holds none of recordings.triggers.codes, but 5"),
    ],
)
def test_a_line_without_what_is_asked_for_is_told(make_raw, tmp_path, triggers, sentence):
    path = tmp_path / "a_raw.fif"
    _line(make_raw(), (400, 500, 5)).save(path, verbose="error")
    settings = FileRecordings(files=(FileEntry(path=str(path), subject="1"),), triggers=triggers)
    with pytest.raises(UserError, match=f"a_raw.fif: {sentence}"):
        preprocess_recording(list_recordings(settings)[0], settings, Preprocessing(), tmp_path)


@pytest.mark.parametrize(
    ("codes", "sentence"),
    [
        ({"a": (4101,)}, "code 4101 can never be met"),
        ({"a": (0,)}, "code 0 can never be met"),
        ({"a": (5,), "b": (5,)}, "code 5 is given two"),
    ],
)
def test_codes_that_cannot_be_told_are_refused(codes, sentence):
    with pytest.raises(ValidationError, match=sentence):
        Triggers(mask=_BUTTONS, codes=codes)
