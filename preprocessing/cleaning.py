"""All steps on the sensors of one recording, in memory."""

from dataclasses import dataclass

import numpy as np
from mne.io import BaseRaw
from numpy.typing import NDArray

from crossmodal.config.preprocessing import Preprocessing, Recordings
from preprocessing.sources import reading
from preprocessing.sources.files import broken_told
from preprocessing.sources.reading import OpenedRecording
from preprocessing.sources.registry import SOURCES
from preprocessing.steps import bad_channels, channel_types, filtering, gradients, line_noise, masking, maxwell, referencing, resampling
from preprocessing.steps.maxwell import Calibration
from preprocessing.steps.segments import outside

# In the order they run; a new version of one makes new shards where it is on.
_STEPS = {
    "reading": reading.VERSION,
    "channel_types": channel_types.VERSION,
    "gradients": gradients.VERSION,
    "bad_channels": bad_channels.VERSION,
    "maxwell": maxwell.VERSION,
    "line_noise": line_noise.VERSION,
    "filtering": filtering.VERSION,
    "resampling": resampling.VERSION,
    "referencing": referencing.VERSION,
    "masking": masking.VERSION,
}
# Steps that are off unless a setting of their name turns them on.
_OPTIONAL_STEPS = ("maxwell", "line_noise")


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
    notes = channel_types.keep_brain_channels(raw, preprocessing.sensors, recordings.channel_types, opened.channels.types, called)
    if raw.info.get("maxshield") and not preprocessing.maxwell:
        notes.append("was recorded with internal active shielding and not MaxFiltered: its fields are distorted unless it is an empty room")
    with broken_told(called):
        raw.load_data(verbose="error")
    if opened.bold and preprocessing.gradients:
        gradients.correct_gradients(raw, opened.bold.marker_s, preprocessing.gradients, called)
    elif opened.bold and SOURCES[recordings.kind].gradients_left:
        notes.append(SOURCES[recordings.kind].gradients_left)
    annotated_good = outside(opened.bad_spans, len(raw.times), raw.info["sfreq"])
    raw, interpolated = _mend(raw, opened.channels.bad, annotated_good, preprocessing, calibration, called)
    if interpolated:
        notes.append(f"interpolated {', '.join(interpolated)}")
    ringing = line_noise.remove_line_noise(raw, preprocessing, called)
    unfiltered = filtering.filter_recording(raw, preprocessing, called)
    if unfiltered:
        notes.append(f"masked {len(unfiltered)} pieces shorter than the filter")
    resampling.resample_recording(raw, preprocessing)
    referencing.reference_recording(raw, preprocessing)
    good = masking.good_samples(raw, [*opened.bad_spans, *ringing, *unfiltered], preprocessing)
    return Cleaned(raw, good, interpolated, notes)


def _mend(
    raw: BaseRaw,
    marked: tuple[str, ...],
    good: NDArray[np.bool_],
    preprocessing: Preprocessing,
    calibration: Calibration,
    called: str,
) -> tuple[BaseRaw, tuple[str, ...]]:
    """Mend bad channels, those of MEG by Maxwell filtering where it is on; also name them."""
    filtered = preprocessing.maxwell if "meg" in raw else None
    reasons = bad_channels.find_bad_channels(raw, marked, good, preprocessing)
    bad_channels.check_mendable(raw, reasons, preprocessing, called)
    bad_channels.silence(raw, reasons)
    if filtered:
        reasons |= maxwell.noisy_channels(raw, calibration, called)
        bad_channels.check_mendable(raw, reasons, preprocessing, called)
        bad_channels.silence(raw, reasons)
        raw = maxwell.separate_fields(raw, filtered, calibration, called)
    bad_channels.interpolate_channels(raw, reasons, called)
    return raw, tuple(reasons)
