"""Read events.tsv: what happened when, and which rows say that samples are bad or that a new piece begins."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from crossmodal.config import UserError
from preprocessing.readers.bids.tables import UNSTATED, rows_of
from preprocessing.readers.events.timed_events import TimedEvents
from preprocessing.signals.marks import is_plain, settled

# Columns that may say what an event was; of those that say something in a row, the first names it. ds000117 uses stim_type, and many
# datasets leave trial_type n/a and write codes to value.
_NAMING_COLUMNS = (
    "trial_type",
    "stim_type",
    "value",
    "trigger",
    "event_type",
    "condition",
    "stimulus",
    "event",
    "code",
    "event_code",
    "marker",
    "type",
    "description",
    "label",
    "stim_file",
)
_NAMELESS = "event"


@dataclass(frozen=True)
class EventTable:
    """What events.tsv says.

    Attributes
    ----------
    events : TimedEvents
    marks : TimedEvents
        Rows that name no event: bad spans and boundaries.
    notes : tuple of str
        Sentences that the run should say of names that do not stand in the usual column.
    """

    events: TimedEvents
    marks: TimedEvents
    notes: tuple[str, ...]


def parse_events(text: str, uri: str) -> EventTable:
    """Read events.tsv.

    Raises
    ------
    UserError
        It is no such table, or an onset is not a number; the sentence names the file and line.
    """
    rows = rows_of(text, uri, required=("onset",))
    columns = [column for column in _NAMING_COLUMNS if column in next(iter(rows.values()), {})]
    events, marks = list[tuple[float, float, str]](), list[tuple[float, float, str]]()
    named_by = list[str]()
    for line, row in rows.items():
        onset_s, duration_s = _seconds(row, "onset", uri, line), _seconds(row, "duration", uri, line, missing=0.0)
        said = {column: row[column] for column in columns if row[column] != UNSTATED}
        mark = _mark(said)
        if mark:
            marks.append((onset_s, duration_s, mark))
        else:
            events.append((onset_s, duration_s, next(iter(said.values()), _NAMELESS)))
            named_by.append(next(iter(said), ""))
    return EventTable(_timed(events), _timed(marks), _told_names(named_by, columns))


def _mark(said: Mapping[str, str]) -> str:
    """Find the cell that makes a row no event; beside a name for it ('STATUS', 'boundary') only what can mean nothing else."""
    for place, cell in enumerate(said.values()):
        if settled(cell) and (place == 0 or is_plain(cell)):
            return cell
    return ""


def _timed(rows: Sequence[tuple[float, float, str]]) -> TimedEvents:
    onset_s, duration_s, names = zip(*rows, strict=True) if rows else ((), (), ())
    return TimedEvents(np.array(onset_s, dtype=np.float64), np.array(duration_s, dtype=np.float64), names)


def _told_names(named_by: Sequence[str], columns: Sequence[str]) -> tuple[str, ...]:
    """Say which events are named by another column than the first that there is."""
    usual = columns[0] if columns else ""
    notes = [
        f"names {named_by.count(column)} of {len(named_by)} events by the column '{column}' of events.tsv, as '{usual}' says n/a"
        for column in columns[1:]
        if column in named_by
    ]
    if "" in named_by:
        notes.append(f"calls {named_by.count('')} of {len(named_by)} events '{_NAMELESS}', as no column of events.tsv names them")
    return tuple(notes)


def _seconds(row: Mapping[str, str], column: str, uri: str, line: int, missing: float | None = None) -> float:
    text = row.get(column, UNSTATED)
    if text == UNSTATED and missing is not None:
        return missing
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError(f"{uri}: line {line} has {column} '{text}', not a number of seconds; correct or remove the line")
    return value
