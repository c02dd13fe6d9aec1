"""One recording, from its files to what a shard holds."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import mne
import numpy as np
from mne.io import BaseRaw
from mne.transforms import apply_trans
from numpy.typing import NDArray

from crossmodal.config import UserError, fingerprint
from crossmodal.config.channel_types import CHANNEL_TYPES
from crossmodal.config.preprocessing import Preprocessing, Recordings
from crossmodal.datasets.recording import PHYSIOLOGY, Events, Recording, Signal
from crossmodal.datasets.shard import FORMAT
from crossmodal.reporting.style import render_png
from preprocessing.bold import bold_identity, bold_steps, to_volumes
from preprocessing.cleaning import Cleaned, clean, steps_off, steps_on
from preprocessing.figures import draw_removed
from preprocessing.readers.calibration import calibration_files, stage_calibration
from preprocessing.readers.entry import Entry
from preprocessing.readers.events.timed_events import TimedEvents
from preprocessing.readers.head_position import tell_lost_head
from preprocessing.readers.reading import open_recording
from preprocessing.readers.stores import FindFile, file_finder
from preprocessing.steps import channel_types
from preprocessing.steps.physiology import TYPES


def shard_key(entry: Entry, recordings: Recordings, preprocessing: Preprocessing, find_file: FindFile) -> dict[str, Any]:
    """Gather all that goes into a shard, as what JSON can hold: identity of its files, settings, and versions of steps and format."""
    # What no sample depends on, and what is not there.
    left_out = {"calibration", "crosstalk", "empty_room", "notes"}
    left_out |= set() if entry.electrodes else {"electrodes", "coordsystem"}
    left_out |= {optional for optional in ("session", "flaw") if not getattr(entry, optional)}
    key = {
        "entry": entry.model_dump(mode="json", exclude=left_out),
        "stimulus_delay_s": recordings.stimulus_delay_s,
        "channel_types": recordings.channel_types,
        "preprocessing": preprocessing.model_dump(mode="json", exclude={"bold", *steps_off(preprocessing)}),
        "steps": steps_on(preprocessing),
        "format": FORMAT,
    }
    if recordings.triggers:
        key["triggers"] = recordings.triggers.model_dump(mode="json")
    if preprocessing.maxwell:
        files = calibration_files(entry, preprocessing.maxwell, find_file)
        key |= {name: file and file.model_dump(mode="json") for name, file in files.items()}
    if entry.bold:
        key |= bold_identity(recordings, preprocessing.bold, find_file)
    return key


def shard_fingerprint(entry: Entry, recordings: Recordings, preprocessing: Preprocessing, find_file: FindFile) -> str:
    """Name the shard of a recording by all that goes into it."""
    return fingerprint(shard_key(entry, recordings, preprocessing, find_file))


def preprocess_recording(entry: Entry, recordings: Recordings, preprocessing: Preprocessing, scratch: Path) -> Recording:
    """Read one recording and take it through all steps.

    Parameters
    ----------
    entry : Entry
        As `list_recordings` lists it.
    recordings, preprocessing : Recordings, Preprocessing
        What an experiment says of them.
    scratch : Path
        A folder for staged copies of remote files.

    Raises
    ------
    UserError
        The recording is missing, unreadable, or unfit; the sentence names it and what to do.
    """
    find_file = file_finder(recordings)
    opened = open_recording(entry, recordings, scratch)
    recorded = {"sfreq": opened.raw.info["sfreq"], "n_samples": len(opened.raw.times)}
    if "bold" in preprocessing.modalities and opened.bold is None:
        raise UserError(f"{entry.uri}: has no BOLD, and the experiment asks for it; change preprocessing.modalities or recordings.kind")
    calibration = stage_calibration(entry, recordings, preprocessing, scratch, find_file)
    cleaned = clean(opened, recordings, preprocessing, calibration, called=entry.uri)
    volumes, bold_notes = None, list[str]()
    if opened.bold and "bold" in preprocessing.modalities:
        volumes, bold_notes = to_volumes(opened.bold, preprocessing.bold, recordings, scratch, called=entry.uri)
    events, late = _in_samples(opened.events, cleaned.raw)
    notes = cleaned.notes + bold_notes + tell_lost_head(entry, cleaned.raw)
    notes += [f"{late} events lie outside the recording and are left out"] * bool(late)
    provenance = {
        "source": opened.source,
        "recorded": recorded,
        "stimulus_delay_s": recordings.stimulus_delay_s,
        "channel_types": recordings.channel_types,
        "preprocessing": preprocessing.model_dump(mode="json"),
        "steps": steps_on(preprocessing),
        "interpolated": list(cleaned.interpolated),
        "lost": cleaned.lost,
        "notes": notes,
        "mne": mne.__version__,
    }
    if entry.empty_room:
        provenance["empty_room"] = entry.empty_room.uri
    if preprocessing.ica:
        provenance["ica"] = [
            {"modality": each.modality, "component": each.component, "reference": each.reference, "score": each.score}
            for each in cleaned.removed
        ]
    if preprocessing.ssp:
        provenance["ssp"] = list(cleaned.projected)
    if preprocessing.maxwell:
        files = calibration_files(entry, preprocessing.maxwell, find_file)
        provenance["maxwell"] = {key: file.model_dump() if file else None for key, file in files.items()}
    if volumes:
        provenance["bold_steps"] = bold_steps(preprocessing.bold)
    key = shard_key(entry, recordings, preprocessing, find_file)
    return replace(_to_recording(entry, cleaned, events, preprocessing, provenance), volumes=volumes, key=key)


def _in_samples(events: TimedEvents, raw: BaseRaw) -> tuple[Events, int]:
    """Place events on the samples of a resampled recording; also count those outside it."""
    samples = np.round(events.onset_s * raw.info["sfreq"]).astype(np.int64)
    inside = (samples >= 0) & (samples < len(raw.times))
    kept = np.flatnonzero(inside)
    return Events(samples[kept], events.duration_s[kept], tuple(events.trial_type[index] for index in kept)), int((~inside).sum())


def _to_recording(entry: Entry, cleaned: Cleaned, events: Events, preprocessing: Preprocessing, provenance: dict[str, Any]) -> Recording:
    raw, physiology = cleaned.raw, cleaned.physiology
    signals = {modality: _signal(raw, modality, channel_types.MODALITY_TYPES[modality]) for modality in preprocessing.sensors}
    if physiology:
        signals[PHYSIOLOGY] = _signal(physiology, PHYSIOLOGY, TYPES)
    return Recording(
        subject=entry.subject,
        run=entry.run,
        session=entry.session,
        sfreq=float(raw.info["sfreq"]),
        signals=signals,
        events=events,
        good=cleaned.good,
        info=_joined(raw.info, physiology.info) if physiology else raw.info,
        provenance=provenance,
        figures=_figures(entry, cleaned),
    )


def _figures(entry: Entry, cleaned: Cleaned) -> dict[str, bytes]:
    """Draw what was taken off each modality."""
    figures = {}
    for modality in channel_types.MODALITY_TYPES:
        removed = [each for each in cleaned.removed if each.modality == modality]
        if removed:
            figures[f"ica_{modality}"] = render_png(draw_removed(removed, cleaned.raw.info, entry.label))
    return figures


def _joined(info: mne.Info, other: mne.Info) -> mne.Info:
    """Describe the channels of both; no samples are copied, as `add_channels` would."""
    both = info.copy()
    with both._unlock():
        both["chs"] = [*both["chs"], *other["chs"]]
        both._update_redundant()
    return both


def _signal(raw: BaseRaw, modality: str, kinds: tuple[str, ...]) -> Signal:
    types = raw.get_channel_types()
    picks = [index for index, kind in enumerate(types) if kind in kinds]
    return Signal(
        modality=modality,
        data_tc=np.ascontiguousarray(raw.get_data(picks=picks).T, dtype=np.float32),
        names=tuple(raw.ch_names[index] for index in picks),
        types=tuple(types[index] for index in picks),
        units=tuple(CHANNEL_TYPES[types[index]].unit for index in picks),
        positions_m=np.array([_head_position_m(raw, index) for index in picks]),
    )


def _head_position_m(raw: BaseRaw, index: int) -> NDArray[np.float64]:
    """Position of a sensor in head coordinates, shape (3,), m; NaN where unknown."""
    position_m = raw.info["chs"][index]["loc"][:3].astype(np.float64)
    if not position_m.any():
        return np.full(3, np.nan)
    if raw.get_channel_types(picks=[index])[0] == "eeg":
        return position_m
    transform = raw.info["dev_head_t"]
    return np.full(3, np.nan) if transform is None else apply_trans(transform, position_m)
