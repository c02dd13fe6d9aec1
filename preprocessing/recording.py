"""One recording, from its files to what a shard holds."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mne
import numpy as np
from mne.io import BaseRaw
from mne.transforms import apply_trans
from numpy.typing import NDArray

from crossmodal.config import UserError, fingerprint
from crossmodal.config.preprocessing import Preprocessing, Recordings
from crossmodal.datasets.recording import Events, Recording, Signal
from crossmodal.datasets.shard import FORMAT
from preprocessing.bold import BOLD_STEPS, bold_identity, to_volumes
from preprocessing.sources import reading
from preprocessing.sources.base import Entry
from preprocessing.sources.files import broken_told
from preprocessing.sources.reading import OpenedRecording, open_recording
from preprocessing.sources.registry import SOURCES
from preprocessing.sources.sidecars import TimedEvents
from preprocessing.steps import bad_channels, channel_types, filtering, gradients, masking, referencing, resampling
from preprocessing.steps.segments import outside

# In the order they run; a new version of one makes new shards.
_STEPS = {
    "reading": reading.VERSION,
    "channel_types": channel_types.VERSION,
    "gradients": gradients.VERSION,
    "bad_channels": bad_channels.VERSION,
    "filtering": filtering.VERSION,
    "resampling": resampling.VERSION,
    "referencing": referencing.VERSION,
    "masking": masking.VERSION,
}
_UNITS = {"eeg": "V", "mag": "T", "grad": "T/m"}


@dataclass(frozen=True)
class Cleaned:
    """A recording after all steps.

    Attributes
    ----------
    raw : BaseRaw
        Loaded; brain channels alone.
    good : bool array, shape (T,)
    interpolated : tuple of str
        Channels that were bad.
    notes : list of str
        Sentences that the run should say.
    """

    raw: BaseRaw
    good: NDArray[np.bool_]
    interpolated: tuple[str, ...]
    notes: list[str]


def shard_key(entry: Entry, recordings: Recordings, preprocessing: Preprocessing) -> dict[str, Any]:
    """Gather all that goes into a shard, as what JSON can hold: identity of its files, settings, and versions of steps and format."""
    key = {
        "entry": entry.model_dump(mode="json"),
        "stimulus_delay_s": recordings.stimulus_delay_s,
        "channel_types": recordings.channel_types,
        "preprocessing": preprocessing.model_dump(mode="json", exclude={"bold"}),
        "steps": _STEPS,
        "format": FORMAT,
    }
    return key | bold_identity(recordings, preprocessing.bold) if entry.bold else key


def shard_fingerprint(entry: Entry, recordings: Recordings, preprocessing: Preprocessing) -> str:
    """Name the shard of a recording by all that goes into it."""
    return fingerprint(shard_key(entry, recordings, preprocessing))


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
    opened = open_recording(entry, recordings, scratch)
    recorded = {"sfreq": opened.raw.info["sfreq"], "n_samples": len(opened.raw.times)}
    if "bold" in preprocessing.modalities and opened.bold is None:
        raise UserError(f"{entry.uri}: has no BOLD, and the experiment asks for it; change preprocessing.modalities or recordings.kind")
    cleaned = clean(opened, recordings, preprocessing, called=entry.uri)
    volumes, bold_notes = None, list[str]()
    if opened.bold and "bold" in preprocessing.modalities:
        volumes, bold_notes = to_volumes(opened.bold, preprocessing.bold, recordings, scratch, called=entry.uri)
    events, late = _in_samples(opened.events, cleaned.raw)
    notes = cleaned.notes + bold_notes + [f"{late} events lie outside the recording and are left out"] * bool(late)
    provenance = {
        "source": opened.source,
        "recorded": recorded,
        "stimulus_delay_s": recordings.stimulus_delay_s,
        "channel_types": recordings.channel_types,
        "preprocessing": preprocessing.model_dump(mode="json"),
        "steps": _STEPS,
        "interpolated": list(cleaned.interpolated),
        "notes": notes,
        "mne": mne.__version__,
    }
    if volumes:
        provenance["bold_steps"] = BOLD_STEPS
    key = shard_key(entry, recordings, preprocessing)
    return replace(_to_recording(entry, cleaned, events, preprocessing, provenance), volumes=volumes, key=key)


def clean(opened: OpenedRecording, recordings: Recordings, preprocessing: Preprocessing, called: str) -> Cleaned:
    """Take an opened recording through all steps, in memory.

    Parameters
    ----------
    opened : OpenedRecording
        Its `raw` is changed in place.
    recordings, preprocessing : Recordings, Preprocessing
        What an experiment says of them.
    called : str
        What sentences call the recording.
    """
    raw = opened.raw
    notes = channel_types.keep_brain_channels(raw, preprocessing.sensors, recordings.channel_types, opened.channels.types, called)
    if raw.info.get("maxshield"):
        notes.append("was recorded with internal active shielding and not MaxFiltered: its fields are distorted unless it is an empty room")
    with broken_told(called):
        raw.load_data(verbose="error")
    if opened.bold and preprocessing.gradients:
        gradients.correct_gradients(raw, opened.bold.marker_s, preprocessing.gradients, called)
    elif opened.bold and SOURCES[recordings.kind].gradients_left:
        notes.append(SOURCES[recordings.kind].gradients_left)
    annotated_good = outside(opened.bad_spans, len(raw.times), raw.info["sfreq"])
    interpolated = bad_channels.mend_bad_channels(raw, opened.channels.bad, annotated_good, preprocessing, called)
    if interpolated:
        notes.append(f"interpolated {', '.join(interpolated)}")
    unfiltered = filtering.filter_recording(raw, preprocessing, called)
    if unfiltered:
        notes.append(f"masked {len(unfiltered)} pieces shorter than the filter")
    resampling.resample_recording(raw, preprocessing)
    referencing.reference_recording(raw, preprocessing)
    good = masking.good_samples(raw, [*opened.bad_spans, *unfiltered], preprocessing)
    return Cleaned(raw, good, interpolated, notes)


def _in_samples(events: TimedEvents, raw: BaseRaw) -> tuple[Events, int]:
    """Place events on the samples of a resampled recording; also count those outside it."""
    samples = np.round(events.onset_s * raw.info["sfreq"]).astype(np.int64)
    inside = (samples >= 0) & (samples < len(raw.times))
    kept = np.flatnonzero(inside)
    return Events(samples[kept], events.duration_s[kept], tuple(events.trial_type[index] for index in kept)), int((~inside).sum())


def _to_recording(entry: Entry, cleaned: Cleaned, events: Events, preprocessing: Preprocessing, provenance: dict[str, Any]) -> Recording:
    raw = cleaned.raw
    return Recording(
        subject=entry.subject,
        run=entry.run,
        sfreq=float(raw.info["sfreq"]),
        signals={modality: _signal(raw, modality) for modality in preprocessing.sensors},
        events=events,
        good=cleaned.good,
        info=raw.info,
        provenance=provenance,
    )


def _signal(raw: BaseRaw, modality: str) -> Signal:
    types = raw.get_channel_types()
    picks = [index for index, kind in enumerate(types) if kind in channel_types.MODALITY_TYPES[modality]]
    return Signal(
        modality=modality,
        data_tc=np.ascontiguousarray(raw.get_data(picks=picks).T, dtype=np.float32),
        names=tuple(raw.ch_names[index] for index in picks),
        types=tuple(types[index] for index in picks),
        units=tuple(_UNITS[types[index]] for index in picks),
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
