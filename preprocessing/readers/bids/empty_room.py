"""Find the recording of an empty room that belongs to a recording of MEG, among any number of them."""

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from typing import Any

from crossmodal.config import UserError
from preprocessing.readers.bids.tables import rows_of
from preprocessing.readers.bids.tree import EMPTY_ROOM, BidsFile, BidsTree, find_sidecar
from preprocessing.readers.entry import SourceFile


class EmptyRooms:
    """Recordings of empty rooms, found by their names and by their days.

    Parameters
    ----------
    rooms : sequence of BidsFile
        Their sessions are days (20090409).
    read : callable
        Gives the text of a sidecar.
    """

    def __init__(self, rooms: Sequence[BidsFile], read: Callable[[SourceFile], str]) -> None:
        self._read = read
        self._days_of = cache(self._days_recorded)
        self._by_name = defaultdict[str, list[BidsFile]](list)
        first_of_day: dict[date, BidsFile] = {}
        for room in rooms:
            self._by_name[room.recording_name].append(room)
            if day := _day(room.entities.get("ses", "")):
                first_of_day.setdefault(day, room)
        self._of_days = sorted(first_of_day.items(), key=lambda dated: dated[0])

    def find(self, recording: BidsFile, trees: Sequence[BidsTree]) -> SourceFile | None:
        """Choose for a recording of MEG: the room that *_meg.json names, else of the day nearest to the recording's in *_scans.tsv.

        Parameters
        ----------
        recording : BidsFile
            Of MEG.
        trees : sequence of BidsTree
            Where its sidecars lie, its own dataset first.
        """
        if not self._by_name or recording.entities["sub"] == EMPTY_ROOM:
            return None
        sidecars = [find_sidecar("meg", ".json", recording, tree) for tree in trees]
        named = [path for sidecar in sidecars if sidecar for path in _paths(_stated(self._read(sidecar)))]
        for path in named:
            for room in self._by_name[path.rpartition("/")[2]]:
                if room.recording_uri.endswith(f"/{path}"):
                    return room.source
        scans = find_sidecar("scans", ".tsv", recording, *trees)
        recorded = self._days_of(scans).get(recording.recording_name) if scans else None
        return self._nearest(recorded) if recorded else None

    def _nearest(self, recorded: date) -> SourceFile | None:
        """Of two equally near, the earlier."""
        after = bisect_left(self._of_days, recorded, key=lambda dated: dated[0])
        around = self._of_days[max(after - 1, 0) : after + 1]
        nearest = min(around, key=lambda dated: abs((dated[0] - recorded).days), default=None)
        return nearest[1].source if nearest else None

    def _days_recorded(self, scans: SourceFile) -> dict[str, date | None]:
        """Read when each recording was made."""
        days: dict[str, date | None] = {}
        try:
            rows = rows_of(self._read(scans), scans.uri)
        except UserError:
            # As of a sidecar that says nothing.
            return days
        for row in rows.values():
            days.setdefault(row.get("filename", "").rpartition("/")[2], _day(row.get("acq_time", "")[:10]))
        return days


def _stated(text: str) -> Any:
    try:
        return json.loads(text).get("AssociatedEmptyRoom")
    except (json.JSONDecodeError, AttributeError):
        # No sample depends on it: a sidecar that says nothing stops no recording.
        return None


def _paths(named: Any) -> list[str]:
    """Take BIDS's ways of naming a file below the dataset: one or several, as bids::sub-... or with a slash before it."""
    several = named if isinstance(named, list) else [named] if named else []
    return [path.removeprefix("bids::").lstrip("/") for path in several if isinstance(path, str)]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
