"""What annotations and trigger lines of a recording say: events, bad spans and boundaries, in seconds from its first sample."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from mne.io import BaseRaw

from preprocessing.readers.events.timed_events import TimedEvents
from preprocessing.readers.events.triggers import line_events
from preprocessing.signals.marks import is_bad, is_boundary, settled
from preprocessing.signals.spans import Annotation, annotations

# How many names a note lists.
_MOST_NAMES = 5
# An annotation and a code are of one event where they lie no further apart: formats round to milliseconds.
_SAME_S, _SAME_SAMPLES = 0.002, 1.5


def settle_marks(raw: BaseRaw, listed: TimedEvents | None = None) -> None:
    """Call bad spans and boundaries as MNE does, in place, so that every step meets them: BAD..., and EDGE... where nothing passes.

    A boundary may be stated half a sample before what follows, and with the length of what is missing, as EEGLAB does: it is moved to
    the sample that follows, and has no length. What reaches beyond the recording is cut to it.

    Parameters
    ----------
    raw : BaseRaw
        Need not be loaded.
    listed : TimedEvents, optional
        What events.tsv marks besides.
    """
    noted = annotations(raw)
    found = [index for index, (*_, text) in enumerate(noted) if settled(text)]
    stated = [noted[index] for index in found]
    if listed:
        stated += zip(listed.onset_s.tolist(), listed.duration_s.tolist(), listed.trial_type, strict=True)
    placed = sorted({mark for each in stated for mark in _placed(each, len(raw.times), raw.info["sfreq"])})
    raw.annotations.delete(found)
    raw.annotations.append(
        [onset_s + raw.first_time for onset_s, *_ in placed], [duration_s for _, duration_s, _ in placed], [text for *_, text in placed]
    )


def tell_marks(raw: BaseRaw) -> tuple[str, ...]:
    """Say which annotations are taken for bad spans and boundaries, whose names might also be those of events."""
    marks = [mark for mark in annotations(raw) if settled(mark[2])]
    bad = [mark for mark in marks if is_bad(mark[2])]
    boundaries = [mark for mark in marks if is_boundary(mark[2])]
    points = [mark for mark in bad if mark[1] == 0]
    notes = []
    if bad:
        notes.append(f"masks what {len(bad)} annotations or rows of events.tsv call bad, {_listing(bad)}: {_total_s(bad):.2f} s")
    if points:
        notes.append(f"masks one sample at each of {len(points)} of them that have no length, {_listing(points)}")
    if boundaries:
        notes.append(f"filters apart what lies on both sides of boundaries, {_listing(boundaries)}")
    return tuple(notes)


def recorded_events(raw: BaseRaw) -> tuple[TimedEvents, tuple[str, ...]]:
    """Events from annotations that mark nothing, and from trigger lines, named by their codes; also say what was done to those.

    A code that comes when an annotation begins is the same event, which the annotation names.
    """
    coded, notes = line_events(raw)
    named = sorted(annotation for annotation in annotations(raw) if not settled(annotation[2]))
    if not named:
        return coded, notes
    onsets_s, durations_s, texts = zip(*named, strict=True)
    if not len(coded.onset_s):
        return TimedEvents(np.array(onsets_s), np.array(durations_s), texts), notes
    following = np.searchsorted(onsets_s, coded.onset_s)
    around_s = np.pad(np.array(onsets_s), 1, constant_values=np.inf)[[following, following + 1]]
    apart_s = np.abs(around_s - coded.onset_s).min(axis=0)
    alone = np.flatnonzero(apart_s > max(_SAME_S, _SAME_SAMPLES / raw.info["sfreq"]))
    events = [*named, *((float(coded.onset_s[index]), 0.0, coded.trial_type[index]) for index in alone)]
    onsets_s, durations_s, texts = zip(*sorted(events), strict=True)
    repeated = len(coded.onset_s) - len(alone)
    told = f"its events are {len(named)} annotations and {len(alone)} codes of trigger lines"
    told += f"; {repeated} more codes come when an annotation begins, and are that" if repeated else ""
    return TimedEvents(np.array(onsets_s), np.array(durations_s), texts), (*notes, told)


def _placed(stated: Annotation, n_times: int, sfreq: float) -> Iterator[Annotation]:
    """Marks of one annotation, within the recording."""
    onset_s, duration_s, text = stated
    # NaN where EEGLAB leaves it out.
    duration_s = duration_s if duration_s > 0 else 0.0
    for name in settled(text):
        if is_boundary(name) and not is_bad(name) and (duration_s == 0 or name not in text):
            sample = math.ceil(onset_s * sfreq - 1e-3)
            if 0 < sample < n_times:
                yield sample / sfreq, 0.0, name
        elif onset_s < n_times / sfreq and (onset_s >= 0 or onset_s + duration_s > 0):
            start_s, stop_s = max(onset_s, 0.0), min(onset_s + duration_s, n_times / sfreq)
            yield start_s, stop_s - start_s, name


def _listing(marks: Sequence[Annotation]) -> str:
    counts = Counter(text for *_, text in marks)
    named = [f"'{text}'" + (f" ({count})" if count > 1 else "") for text, count in counts.most_common(_MOST_NAMES)]
    return ", ".join(named) + (f" and {len(counts) - _MOST_NAMES} more" if len(counts) > _MOST_NAMES else "")


def _total_s(marks: Sequence[Annotation]) -> float:
    """Time that marks cover together, s: they may overlap."""
    total_s, covered_s = 0.0, 0.0
    for onset_s, duration_s, _ in sorted(marks):
        total_s += max(onset_s + duration_s - max(onset_s, covered_s), 0.0)
        covered_s = max(covered_s, onset_s + duration_s)
    return total_s
