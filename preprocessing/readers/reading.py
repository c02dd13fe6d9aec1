"""List and open the recordings of an experiment, whatever their source."""

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from mne.io import BaseRaw
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.config.preprocessing import BidsRecordings, FileRecordings, Recordings
from crossmodal.datasets.virtual_data import VIRTUAL
from preprocessing.readers.bids.channels import ChannelTable, parse_channels
from preprocessing.readers.bids.electrodes import place_electrodes
from preprocessing.readers.bids.events import EventTable, parse_events
from preprocessing.readers.eeg_fmri.image import OpenedBold, open_image, time_volumes
from preprocessing.readers.entry import Entry
from preprocessing.readers.events.annotations import recorded_events, settle_marks, tell_marks
from preprocessing.readers.events.timed_events import TimedEvents
from preprocessing.readers.events.triggers import trigger_events
from preprocessing.readers.formats.bti import is_bti_data, system_names
from preprocessing.readers.formats.ctf import without_system
from preprocessing.readers.formats.opening import written_units
from preprocessing.readers.heads.points import check_points
from preprocessing.readers.registry import READERS
from preprocessing.readers.stores import stage
from preprocessing.readers.text import is_guessed, read_json, read_text
from preprocessing.signals.broken import translate_reading_errors, without_hints
from preprocessing.signals.channel_names import match_rows, some_of
from preprocessing.signals.spans import Span, bad_spans
from preprocessing.signals.units import RETYPABLE, VOLTAGES, ChannelUnits, settle_units

VERSION = 6
# Of sidecars, and of headers and markers of BrainVision.
_TEXTS = (".tsv", ".json", ".vhdr", ".vmrk")


@dataclass(frozen=True)
class OpenedRecording:
    """A recording opened but not loaded, and everything that is said about it.

    Attributes
    ----------
    events : TimedEvents
        Shifted by the stimulus delay.
    bad_spans : list of Span
        What annotations call bad.
    channels : ChannelTable
        What channels.tsv says; channels whose unit is no voltage are misc, but for respiration.
    units : ChannelUnits
        What is known of the units of channels that may be EEG, EOG or ECG.
    source : list of dict
        Identity and SHA-256 of every file that was read.
    bold : OpenedBold, optional
        What a scanner recorded meanwhile.
    marker_s : float64 array, shape (n_markers,), optional
        Onsets of all the scanner's volumes, those of discarded ones too, s from the first sample; None where no scanner was read.
    notes : tuple of str
        Sentences that the run should say.
    """

    raw: BaseRaw
    events: TimedEvents
    bad_spans: list[Span]
    channels: ChannelTable
    units: ChannelUnits
    source: list[dict[str, Any]]
    bold: OpenedBold | None = None
    marker_s: NDArray[np.float64] | None = None
    notes: tuple[str, ...] = ()


def list_recordings(recordings: Recordings) -> list[Entry]:
    """List the recordings an experiment names, ordered as its source orders them."""
    return READERS[recordings.kind].list(recordings)


def open_recording(entry: Entry, recordings: Recordings, scratch: Path) -> OpenedRecording:
    """Open a recording with its sidecars; remote files are staged to `scratch`, local ones read in place and never written.

    Raises
    ------
    UserError
        A file is missing or cannot be read, or its listing found something wrong.
    """
    if entry.flaw:
        raise UserError(entry.flaw)
    if entry.coordsystem and not entry.coordsystem.version:
        raise UserError(f"{entry.coordsystem.uri}: is missing, and says in which coordinates the positions of electrodes.tsv are; add it")
    local = {file.uri: stage(file, recordings, scratch) for file in entry.all_files}
    _check_sidecars(entry, local)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", RuntimeWarning)
        raw = READERS[recordings.kind].open_raw(local[entry.uri], entry.uri, {file.uri: local[file.uri] for file in entry.files[1:]})
    _check_all_listed(entry, raw)
    if (raw.info["description"] or "").startswith(VIRTUAL):
        raise UserError(f"{entry.uri}: is a {VIRTUAL}, and no recording; leave it out")
    table = _event_table(entry, raw, local)
    if table:
        settle_marks(raw, table.marks)
    events, events_told = _events(entry, raw, recordings, table)
    bold, marker_s = _open_bold(entry, raw, recordings, local)
    channels, told = _channels(entry, raw, local)
    with translate_reading_errors(entry.uri):
        units = _units(raw, written_units(local[entry.uri], raw), channels)
    notes = (
        *entry.notes,
        *_guessed_encodings(entry, local),
        *events_told,
        *tell_marks(raw),
        *told,
        *_no_voltages(units, channels),
        *_place_electrodes(entry, raw, local),
        *check_points(raw, entry.uri),
        *filter(None, (without_hints(str(each.message)) for each in warned if each.category is RuntimeWarning)),
    )
    return OpenedRecording(
        raw=raw,
        # The only place where the delay is added; what is read here is never written back.
        events=events.shifted(recordings.stimulus_delay_s),
        bad_spans=bad_spans(raw),
        channels=replace(
            channels, types=channels.types | {name: "misc" for name in units.no_voltage if channels.types.get(name) != "resp"}
        ),
        units=units,
        source=[file.model_dump() | {"sha256": _checksum(local[file.uri])} for file in entry.all_files],
        bold=bold,
        marker_s=marker_s,
        notes=notes,
    )


def _check_all_listed(entry: Entry, raw: BaseRaw) -> None:
    """Refuse a recording that is read from a file besides its own, of which its shard would not know, nor be made anew with it."""
    listed = {file.name for file in entry.files}
    others = sorted({Path(file).name for file in raw.filenames if file} - listed)
    if others:
        raise UserError(f"{entry.uri}: is read from {', '.join(others)}, too, which is not called as a part of it; rename the files alike")


def _check_sidecars(entry: Entry, local: Mapping[str, Path]) -> None:
    """Refuse sidecars without content, as datalad leaves those that it did not fetch: every table has a header at least."""
    for file in entry.sidecars:
        if not local[file.uri].exists() or not local[file.uri].stat().st_size:
            raise UserError(
                f"{file.uri}: is empty or a link to nothing; fetch its content (datalad get, aws s3 cp) or leave the recording out"
            )


def _guessed_encodings(entry: Entry, local: Mapping[str, Path]) -> tuple[str, ...]:
    texts = [file for file in (*entry.files, *entry.sidecars) if file.name.lower().endswith(_TEXTS)]
    guessed = [file.name for file in texts if is_guessed(local[file.uri].read_bytes())]
    return tuple(f"reads {name} as Windows does (cp1252), since it is no UTF-8: letters with accents may be others" for name in guessed)


def _channels(entry: Entry, raw: BaseRaw, local: Mapping[str, Path]) -> tuple[ChannelTable, tuple[str, ...]]:
    """Read channels.tsv by the names that the recording gives its channels; also say what the run should of names that differ."""
    if entry.channels is None:
        return ChannelTable({}, ()), ()
    table = parse_channels(read_text(local[entry.channels.uri], entry.channels.uri), entry.channels.uri)
    if is_bti_data(entry.files[0].name):
        names = system_names(raw)
        table = table.renamed({name: names.get(name, name) for name in table.units})
    elif entry.uri.endswith(".res4"):
        table = table.renamed({name: without_system(name) for name in table.units})
    matched = match_rows(list(table.units), raw.ch_names, entry.channels.uri)
    return table.renamed(matched.channels), matched.notes


def _units(raw: BaseRaw, written: Mapping[str, str], channels: ChannelTable) -> ChannelUnits:
    """Settle the units of what may be EEG, EOG or ECG; those of MEG are MNE's."""
    kinds = dict(zip(raw.ch_names, raw.get_channel_types(), strict=True))
    return settle_units({name: unit for name, unit in written.items() if kinds[name] in RETYPABLE}, channels.units)


def _no_voltages(units: ChannelUnits, channels: ChannelTable) -> tuple[str, ...]:
    """Say which channels are no EEG for their unit, where channels.tsv does not say so itself."""
    told = [f"{name} ({unit})" for name, unit in units.no_voltage.items() if channels.types.get(name, "eeg") in VOLTAGES]
    return (f"taken as misc, for their units are no voltages: {some_of(told)}",) if told else ()


def _place_electrodes(entry: Entry, raw: BaseRaw, local: Mapping[str, Path]) -> tuple[str, ...]:
    if entry.electrodes is None or entry.coordsystem is None:
        return ()
    table = read_text(local[entry.electrodes.uri], entry.electrodes.uri)
    system = read_json(local[entry.coordsystem.uri], entry.coordsystem.uri)
    with translate_reading_errors(entry.electrodes.uri):
        return place_electrodes(raw, table, system, entry.electrodes.uri)


def _event_table(entry: Entry, raw: BaseRaw, local: Mapping[str, Path]) -> EventTable | None:
    if entry.events is None:
        return None
    table = parse_events(read_text(local[entry.events.uri], entry.events.uri), entry.events.uri)
    duration_s = len(raw.times) / raw.info["sfreq"]
    onset_s = np.concatenate([table.events.onset_s, table.marks.onset_s])
    late_s = onset_s[onset_s > duration_s]
    if len(late_s):
        raise UserError(
            f"{entry.events.uri}: {len(late_s)} of {len(onset_s)} events begin past the end of the recording at {duration_s:.2f} s,"
            f" the first at {late_s.min():.2f} s; the recording is cut short or the table is another's: fetch it again or leave it out"
        )
    return table


def _events(entry: Entry, raw: BaseRaw, recordings: Recordings, table: EventTable | None) -> tuple[TimedEvents, tuple[str, ...]]:
    """Events from where the experiment says, and what the run should say of them."""
    with translate_reading_errors(entry.uri):
        if recordings.triggers:
            return trigger_events(raw, recordings.triggers, entry.uri)
        return (table.events, table.notes) if table else recorded_events(raw)


def _open_bold(
    entry: Entry, raw: BaseRaw, recordings: Recordings, local: Mapping[str, Path]
) -> tuple[OpenedBold | None, NDArray[np.float64] | None]:
    """Open an image, and find the markers of its volumes."""
    if entry.bold is None or isinstance(recordings, BidsRecordings | FileRecordings):
        return None, None
    image, tr_s = open_image(entry.bold, local)
    markers = READERS[recordings.kind].volume_markers(raw, recordings, tr_s, entry.uri)
    duration_s = len(raw.times) / raw.info["sfreq"]
    bold = time_volumes(entry.bold, local, image, tr_s, markers, duration_s, recordings.dummy_volumes, entry.uri)
    return bold, markers.onset_s


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
