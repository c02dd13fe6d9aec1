"""All steps on the sensors of one recording, in memory."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from mne.io import BaseRaw
from numpy.typing import NDArray

from crossmodal.config.preprocessing import Preprocessing, Recordings
from preprocessing.sources import reading
from preprocessing.sources.broken import broken_told
from preprocessing.sources.reading import OpenedRecording
from preprocessing.sources.registry import SOURCES
from preprocessing.sources.timeline import Span
from preprocessing.steps import (
    bad_channels,
    channel_types,
    filtering,
    gradients,
    ica,
    line_noise,
    masking,
    maxwell,
    physiology,
    referencing,
    resampling,
    ssp,
    voltages,
)
from preprocessing.steps.ica import Removed
from preprocessing.steps.maxwell import Calibration
from preprocessing.steps.references import split_references
from preprocessing.steps.segments import outside

# In the order they run; a new version of one makes new shards where it is on.
_STEPS = {
    "reading": reading.VERSION,
    "channel_types": channel_types.VERSION,
    "voltages": voltages.VERSION,
    "gradients": gradients.VERSION,
    "bad_channels": bad_channels.VERSION,
    "maxwell": maxwell.VERSION,
    "line_noise": line_noise.VERSION,
    "filtering": filtering.VERSION,
    "ica": ica.VERSION,
    "ssp": ssp.VERSION,
    "resampling": resampling.VERSION,
    "physiology": physiology.VERSION,
    "referencing": referencing.VERSION,
    "masking": masking.VERSION,
}
# Steps that are off unless a setting of their name turns them on.
_OPTIONAL_STEPS = ("maxwell", "line_noise", "ica", "ssp")


@dataclass(frozen=True)
class Cleaned:
    """A recording after all steps.

    Attributes
    ----------
    raw : BaseRaw
        Loaded; brain channels alone.
    physiology : BaseRaw or None
        EOG and ECG on its clock, where they are recorded.
    good : bool array, shape (T,)
    marked : tuple of Span
        What steps mark bad, besides the recording's own bad spans.
    interpolated : tuple of str
        Channels that were bad.
    removed : tuple of Removed
        Independent components that were taken off.
    projected : tuple of dict
        Directions that were projected out.
    notes : list of str
        Sentences that the run should say.
    """

    raw: BaseRaw
    physiology: BaseRaw | None
    good: NDArray[np.bool_]
    marked: tuple[Span, ...]
    interpolated: tuple[str, ...]
    removed: tuple[Removed, ...]
    projected: tuple[dict[str, Any], ...]
    notes: list[str]


def steps_off(preprocessing: Preprocessing) -> set[str]:
    """Name the steps that do not run."""
    return {name for name in _OPTIONAL_STEPS if getattr(preprocessing, name) is None}


def steps_on(preprocessing: Preprocessing) -> dict[str, int]:
    """Versions of the steps that run: one that is off leaves no trace, so that shards made before it existed keep their names."""
    off = steps_off(preprocessing)
    return {name: version for name, version in _STEPS.items() if name not in off}


def clean(opened: OpenedRecording, recordings: Recordings, preprocessing: Preprocessing, calibration: Calibration, called: str) -> Cleaned:
    """Take an opened recording through all steps, in memory.

    Parameters
    ----------
    opened : OpenedRecording
        Its `raw` is changed in place.
    recordings, preprocessing : Recordings, Preprocessing
        What an experiment says of them.
    calibration : Calibration
        Of the MEG system.
    called : str
        What sentences call the recording.
    """
    raw = opened.raw
    notes = [*opened.notes]
    notes += channel_types.keep_brain_channels(
        raw, preprocessing.sensors, recordings.channel_types, opened.channels.types, called, opened.units
    )
    if raw.info.get("maxshield") and not preprocessing.maxwell:
        notes.append("was recorded with internal active shielding and not MaxFiltered: its fields are distorted unless it is an empty room")
    with broken_told(called):
        raw.load_data(verbose="error")
    voltages.to_volts(raw, opened.units.volts)
    if opened.bold and preprocessing.gradients:
        # Off EOG and ECG, too.
        notes += gradients.correct_gradients(raw, opened.bold.marker_s, preprocessing.gradients, called)
    elif opened.bold and SOURCES[recordings.kind].gradients_left:
        notes.append(SOURCES[recordings.kind].gradients_left)
    notes += voltages.check_plausible(raw, opened.units, called)
    body = physiology.copy_physiology(raw, preprocessing)
    references = split_references(raw, preprocessing.references, called)
    annotated_good = outside(opened.bad_spans, len(raw.times), raw.info["sfreq"])
    raw, interpolated, flat = _mend(raw, opened.channels.bad, annotated_good, preprocessing, calibration, called)
    if interpolated:
        notes.append(f"interpolated {', '.join(interpolated)}")
    if flat:
        notes.append(f"marked bad where a channel is flat for a while: {', '.join(flat)}")
    ringing = line_noise.remove_line_noise(raw, preprocessing, called)
    unfiltered = filtering.filter_recording(raw, preprocessing, called)
    if unfiltered:
        notes.append(f"masked {len(unfiltered)} pieces shorter than the filter")
    marked = (*(span for spans in flat.values() for span in spans), *ringing, *unfiltered)
    bad_spans = [*opened.bad_spans, *marked]
    removed, projected, told = _remove_artifacts(raw, references, bad_spans, preprocessing, called)
    raw = resampling.resample_recording(raw, preprocessing)
    if body:
        body = physiology.follow_sensors(body, preprocessing, called)
    # Not before loading, where the reader would be slow; here it costs little.
    channel_types.order_channels(raw, preprocessing.sensors)
    referencing.reference_recording(raw, preprocessing)
    good = masking.good_samples(raw, bad_spans, preprocessing)
    return Cleaned(raw, body, good, marked, interpolated, tuple(removed), tuple(projected), notes + told)


def _remove_artifacts(
    raw: BaseRaw, references: BaseRaw | None, bad_spans: list[Span], preprocessing: Preprocessing, called: str
) -> tuple[list[Removed], list[dict[str, Any]], list[str]]:
    """Take eyes and heart off by the steps that are on; name what was taken."""
    removed, projected, told = list[Removed](), list[dict[str, Any]](), list[str]()
    if preprocessing.ica:
        assert references
        removed, told = ica.remove_components(raw, preprocessing.sensors, references, bad_spans, preprocessing.ica, called)
    if preprocessing.ssp:
        assert references
        projected = ssp.project_artifacts(raw, preprocessing.sensors, references, bad_spans, preprocessing.ssp, called)
    return removed, projected, told


def _mend(
    raw: BaseRaw,
    marked: tuple[str, ...],
    good: NDArray[np.bool_],
    preprocessing: Preprocessing,
    calibration: Calibration,
    called: str,
) -> tuple[BaseRaw, tuple[str, ...], dict[str, tuple[Span, ...]]]:
    """Mend bad channels, those of MEG by Maxwell filtering where it is on; also name them, and where others are flat for a while."""
    filtered = preprocessing.maxwell if "meg" in raw else None
    found = bad_channels.find_bad_channels(raw, marked, good, preprocessing)
    reasons = found.reasons
    bad_channels.check_mendable(raw, reasons, preprocessing, called)
    bad_channels.silence(raw, reasons)
    if filtered:
        reasons |= maxwell.noisy_channels(raw, calibration, called)
        bad_channels.check_mendable(raw, reasons, preprocessing, called)
        bad_channels.silence(raw, reasons)
        unfiltered, raw = raw, maxwell.separate_fields(raw, filtered, calibration, called)
        # Whoever opened it holds it on to the end, and it is as large as the filtered one.
        unfiltered.crop(tmax=0)
    bad_channels.interpolate_channels(raw, reasons, called)
    return raw, tuple(reasons), {name: spans for name, spans in found.flat.items() if name not in reasons}
