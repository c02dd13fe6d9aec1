"""List and open the recordings of an experiment, whatever their source."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mne.io import BaseRaw

from crossmodal.config import UserError
from crossmodal.config.preprocessing import Recordings
from crossmodal.storage.atomic import told_clearly
from crossmodal.storage.uri import is_local, open_fs
from preprocessing.sources.base import Entry, SourceFile
from preprocessing.sources.bids import list_bids
from preprocessing.sources.files import broken_told, list_files, read_raw_file
from preprocessing.sources.sidecars import ChannelTable, TimedEvents, parse_channels, parse_events
from preprocessing.sources.timeline import Span, bad_spans, recorded_events

VERSION = 1


@dataclass(frozen=True)
class OpenedRecording:
    """A recording opened but not loaded, and everything that is said about it.

    Attributes
    ----------
    events : TimedEvents
        Shifted by the stimulus delay.
    bad_spans : list of Span
        What annotations call bad.
    source : list of dict
        Identity and SHA-256 of every file that was read.
    """

    raw: BaseRaw
    events: TimedEvents
    bad_spans: list[Span]
    channels: ChannelTable
    source: list[dict[str, Any]]


def list_recordings(recordings: Recordings) -> list[Entry]:
    """List the recordings an experiment names, ordered as its source orders them."""
    return list_bids(recordings) if recordings.kind == "bids" else list_files(recordings)


def open_recording(entry: Entry, recordings: Recordings, scratch: Path) -> OpenedRecording:
    """Open a recording with its sidecars; remote files are staged to `scratch`, local ones read in place and never written.

    Raises
    ------
    UserError
        A file is missing or cannot be read.
    """
    local = {file.uri: _stage(file, recordings, scratch) for file in (*entry.files, *entry.sidecars)}
    raw = read_raw_file(local[entry.uri], entry.uri)
    if entry.events:
        events = parse_events(local[entry.events.uri].read_text(), entry.events.uri)
    else:
        with broken_told(entry.uri):
            events = recorded_events(raw)
    return OpenedRecording(
        raw=raw,
        # The only place where the delay is added; what is read here is never written back.
        events=events.shifted(recordings.stimulus_delay_s),
        bad_spans=bad_spans(raw),
        channels=parse_channels(local[entry.channels.uri].read_text()) if entry.channels else ChannelTable({}, ()),
        source=[file.model_dump() | {"sha256": _checksum(local[file.uri])} for file in (*entry.files, *entry.sidecars)],
    )


def _stage(file: SourceFile, recordings: Recordings, scratch: Path) -> Path:
    if is_local(file.uri):
        return Path(file.uri)
    filesystem, path = open_fs(file.uri, recordings.anonymous, recordings.endpoint_url)
    staged = scratch / file.name
    try:
        with told_clearly(scratch):
            filesystem.get_file(path, str(staged))
    except FileNotFoundError:
        raise UserError(f"{file.uri}: no such recording; check the path") from None
    return staged


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
