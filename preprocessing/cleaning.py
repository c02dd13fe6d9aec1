"""All steps on the sensors of one recording, in memory."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from mne.io import BaseRaw
from numpy.typing import NDArray

from crossmodal.config.preprocessing import Preprocessing, Recordings
from preprocessing.bad_spans import BadSpans, all_of, lost_shares
from preprocessing.readers import reading
from preprocessing.readers.reading import OpenedRecording
from preprocessing.readers.registry import READERS
from preprocessing.signals.broken import translate_reading_errors
from preprocessing.signals.spans import Span
from preprocessing.steps import (
    bad_channels,
    bridging,
    channel_types,
    edges,
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
from preprocessing.steps.look import Look
from preprocessing.steps.maxwell import Calibration
from preprocessing.steps.references import split_references
from preprocessing.steps.segments import outside
from preprocessing.steps.virtual_signals import refuse_virtual

# In the order they run; a new version of one makes new shards where it is on.
_STEPS = {
    "reading": reading.VERSION,
    "channel_types": channel_types.VERSION,
    "voltages": voltages.VERSION,
    "gradients": gradients.VERSION,
    "bridging": bridging.VERSION,
    "bad_channels": bad_channels.VERSION,
    "maxwell": maxwell.VERSION,
    "edges": edges.VERSION,
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
        EOG, ECG and, beside volumes, respiration on its clock, where they are recorded.
    good : bool array, shape (T,)
    marked : tuple of Span
        What steps mark bad, besides the recording's own bad spans.
    lost : dict of str to float
        Share of all samples that are not good, by cause; what has several causes is counted with the first.
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
    lost: dict[str, float]
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


def clean(
    opened: OpenedRecording,
    recordings: Recordings,
    preprocessing: Preprocessing,
    calibration: Calibration,
    called: str,
    keep_harmless: bool = False,
) -> Cleaned:
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
    keep_harmless : bool
        Keep the samples of annotated spans in which no sensor leaves its usual range. Who predicts may ask for these, and filters spread
        nothing unusual from them. Otherwise every annotated span is bridged.

    Raises
    ------
    UserError
        The recording is unfit for a step, or holds signals that a model predicted.
    """
    raw = opened.raw
    notes = [*opened.notes]
    beside = physiology.types_beside(volumes=opened.bold is not None)
    notes += channel_types.keep_brain_channels(
        raw, preprocessing.sensors, recordings.channel_types, opened.channels.types, called, opened.units, beside
    )
    if raw.info.get("maxshield") and not preprocessing.maxwell:
        notes.append("was recorded with internal active shielding and not MaxFiltered: its fields are distorted unless it is an empty room")
    with translate_reading_errors(called):
        raw.load_data(verbose="error")
    voltages.to_volts(raw, opened.units.volts)
    if opened.marker_s is not None and preprocessing.gradients:
        # Off EOG and ECG, too.
        notes += gradients.correct_gradients(raw, opened.marker_s, opened.bad_spans, preprocessing.gradients, called)
    elif opened.bold and READERS[recordings.kind].gradients_left:
        notes.append(READERS[recordings.kind].gradients_left)
    bad: BadSpans = {"annotated": [*opened.bad_spans]}
    if keep_harmless and opened.bad_spans:
        bad["annotated"] = edges.holding_artifacts(opened.bad_spans, Look.at(raw, preprocessing))
    # First of all: nothing that follows, from what is told of a channel to what a filter spreads, depends on what is in such a span.
    bridging.bridge_spans(raw, bad["annotated"], _levels_jumps(preprocessing))
    notes += voltages.check_plausible(raw, opened.units, called)
    body = physiology.copy_physiology(raw, preprocessing)
    references = split_references(raw, preprocessing.references, called)
    raw, interpolated, flat = _mend(raw, opened.channels.bad, bad["annotated"], preprocessing, calibration, called)
    if interpolated:
        notes.append(f"interpolated {', '.join(interpolated)}")
    if flat:
        notes.append(f"marked bad where a channel is flat for a while: {', '.join(flat)}")
    bad["flat"] = [span for spans in flat.values() for span in spans]
    bad |= _bridge_artifacts(raw, [each for each in (references, body) if each], bad, preprocessing)
    bad["filter"] = line_noise.remove_line_noise(raw, preprocessing, called)
    unfiltered = filtering.filter_recording(raw, preprocessing, called)
    if unfiltered:
        notes.append(f"masked {len(unfiltered)} pieces shorter than the filter")
    bad["filter"] += unfiltered
    removed, projected, told = _remove_artifacts(raw, references, all_of(bad), preprocessing, called)
    raw = resampling.resample_recording(raw, preprocessing)
    if body:
        body = physiology.follow_sensors(body, preprocessing, called)
    # Not before loading, where the reader would be slow; here it costs little.
    channel_types.order_channels(raw, preprocessing.sensors)
    referencing.reference_recording(raw, preprocessing)
    refuse_virtual(raw, called)
    bad["peak-to-peak"] += masking.far_segments(raw, preprocessing)
    return Cleaned(
        raw=raw,
        physiology=body,
        good=outside(all_of(bad), len(raw.times), raw.info["sfreq"]),
        marked=tuple(span for cause, spans in bad.items() if cause != "annotated" for span in spans),
        lost=lost_shares(bad, len(raw.times), raw.info["sfreq"]),
        interpolated=interpolated,
        removed=tuple(removed),
        projected=tuple(projected),
        notes=notes + told,
    )


def _levels_jumps(preprocessing: Preprocessing) -> bool:
    """Whether no level is kept anyway."""
    return preprocessing.highpass_hz is not None


def _bridge_artifacts(raw: BaseRaw, beside: list[BaseRaw], bad: BadSpans, preprocessing: Preprocessing) -> BadSpans:
    """Find what no annotation tells of before a filter spreads it, and bridge it together with all that is known to be bad."""
    found: BadSpans = {"peak-to-peak": [], "edges": []}
    if masking.has_limits(preprocessing) or any(span.duration_s for span in all_of(bad)):
        bridging.bridge_spans(raw, bad["flat"], _levels_jumps(preprocessing))
        look = Look.at(raw, preprocessing)
        found["peak-to-peak"] = masking.far_in_look(look, preprocessing)
        found["edges"] = edges.beyond_edges(all_of(bad | found), look, preprocessing.segment_s)
    for each in (raw, *beside):
        bridging.bridge_spans(each, all_of(bad | found), _levels_jumps(preprocessing))
    return found


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
    annotated: list[Span],
    preprocessing: Preprocessing,
    calibration: Calibration,
    called: str,
) -> tuple[BaseRaw, tuple[str, ...], dict[str, tuple[Span, ...]]]:
    """Mend bad channels, those of MEG by Maxwell filtering where it is on; also name them, and where others are flat for a while."""
    filtered = preprocessing.maxwell if "meg" in raw else None
    good = outside(annotated, len(raw.times), raw.info["sfreq"])
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
