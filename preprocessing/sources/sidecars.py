"""Read BIDS sidecars: what the channels are and what happened when."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crossmodal.config import UserError
from preprocessing.sources.channel_names import unique_names
from preprocessing.sources.tables import UNSTATED, rows_of

# BIDS channel types that say what an input of the amplifier really recorded; others, as RESP or TRIG, are no brain either, whatever the
# file calls them. MEG types are left to the recording itself.
_TYPES = {"EEG": "eeg", "EOG": "eog", "HEOG": "eog", "VEOG": "eog", "ECG": "ecg", "EMG": "emg", "MISC": "misc"}
# Columns that may hold what an event was, the first present wins; ds000117 uses stim_type.
_TRIAL_TYPE_COLUMNS = ("trial_type", "stim_type", "value", "trigger")


@dataclass(frozen=True)
class ChannelTable:
    """What channels.tsv says.

    Attributes
    ----------
    types : dict
        MNE's type ('eeg', 'eog', 'ecg', 'emg', 'misc') by channel name, where BIDS's has one.
    bad : tuple of str
        Channels whose status is bad.
    units : dict
        The unit of every row, as written, by channel name.
    """

    types: dict[str, str]
    bad: tuple[str, ...]
    units: dict[str, str] = field(default_factory=dict)

    def renamed(self, names: Mapping[str, str]) -> "ChannelTable":
        """Return the same of channels under other names, without those that have none."""
        types, units = ({names[name]: said for name, said in said_of.items() if name in names} for said_of in (self.types, self.units))
        return ChannelTable(types, tuple(names[name] for name in self.bad if name in names), units)


@dataclass(frozen=True)
class TimedEvents:
    """Events in time, so that resampling cannot move them.

    Attributes
    ----------
    onset_s, duration_s : float64 array, shape (n,)
        Seconds; onsets count from the recording's first sample.
    trial_type : tuple of str, length n
    """

    onset_s: NDArray[np.float64]
    duration_s: NDArray[np.float64]
    trial_type: tuple[str, ...]

    def shifted(self, delay_s: float) -> "TimedEvents":
        """Return the same events `delay_s` seconds later."""
        return TimedEvents(self.onset_s + delay_s, self.duration_s, self.trial_type)


def parse_channels(text: str, uri: str) -> ChannelTable:
    """Read channels.tsv, which need not list every channel of the file.

    Raises
    ------
    UserError
        It is no such table; the sentence names the file.
    """
    listed = list(rows_of(text, uri, required=("name",)).values())
    rows = dict(zip(unique_names(row["name"] for row in listed), listed, strict=True))
    stated = {name: row.get("type", UNSTATED).upper() for name, row in rows.items()}
    types = {name: _TYPES.get(kind, "misc") for name, kind in stated.items() if kind != UNSTATED.upper() and not kind.startswith("MEG")}
    bad = tuple(name for name, row in rows.items() if row.get("status", UNSTATED).lower().startswith("bad"))
    return ChannelTable(types, bad, {name: row.get("units", UNSTATED) for name, row in rows.items()})


def parse_events(text: str, uri: str) -> TimedEvents:
    """Read events.tsv.

    Raises
    ------
    UserError
        It is no such table, or an onset is not a number; the sentence names the file and line.
    """
    rows = rows_of(text, uri, required=("onset",))
    columns = set().union(*rows.values())
    label = next((column for column in _TRIAL_TYPE_COLUMNS if column in columns), None)
    onsets = np.array([_seconds(row, "onset", uri, line) for line, row in rows.items()], dtype=np.float64)
    durations = np.array([_seconds(row, "duration", uri, line, missing=0.0) for line, row in rows.items()], dtype=np.float64)
    return TimedEvents(onsets, durations, tuple(row[label] if label else "event" for row in rows.values()))


def _seconds(row: dict[str, str], column: str, uri: str, line: int, missing: float | None = None) -> float:
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
