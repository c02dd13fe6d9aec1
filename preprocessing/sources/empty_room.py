"""Find the recording of an empty room that belongs to a recording of MEG."""

import json
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from crossmodal.config import UserError
from preprocessing.sources.base import SourceFile
from preprocessing.sources.bids_tree import EMPTY_ROOM, BidsFile, find_sidecar
from preprocessing.sources.tables import rows_of


def find_empty_room(
    recording: BidsFile, trees: Sequence[Sequence[BidsFile]], rooms: Sequence[BidsFile], read: Callable[[SourceFile], str]
) -> SourceFile | None:
    """Choose an empty room: the one that *_meg.json names, else of the day nearest to the recording's in *_scans.tsv.

    Parameters
    ----------
    recording : BidsFile
        Of MEG.
    trees : sequence of sequences of BidsFile
        Where its sidecars lie, its own dataset first.
    rooms : sequence of BidsFile
        Recordings of empty rooms, whose sessions are days (20090409).
    read : callable
        Gives the text of a sidecar.
    """
    if not rooms or recording.entities["sub"] == EMPTY_ROOM:
        return None
    sidecars = [find_sidecar("meg", ".json", recording, tree) for tree in trees]
    named = [path for sidecar in sidecars if sidecar for path in _paths(_stated(read(sidecar)))]
    for path in named:
        for room in rooms:
            if room.recording_uri.endswith(f"/{path}"):
                return room.source
    recorded = _recorded(recording, trees, read)
    days = {room.source.uri: _day(room.entities.get("ses", "")) for room in rooms}
    dated = [(abs((day - recorded).days), room.source) for room in rooms if recorded and (day := days[room.source.uri])]
    return min(dated, key=lambda distance: distance[0])[1] if dated else None


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


def _recorded(recording: BidsFile, trees: Sequence[Sequence[BidsFile]], read: Callable[[SourceFile], str]) -> date | None:
    scans = find_sidecar("scans", ".tsv", recording, *trees)
    try:
        rows = rows_of(read(scans), scans.uri) if scans else {}
    except UserError:
        # As above.
        return None
    for row in rows.values():
        if row.get("filename", "").endswith(f"/{recording.recording_name}"):
            return _day(row.get("acq_time", "")[:10])
    return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
