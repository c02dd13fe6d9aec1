"""What a recording itself says about time: its annotations and trigger line, in seconds from its first sample."""

from dataclasses import dataclass

import mne
import numpy as np
from mne.io import BaseRaw

from preprocessing.sources.sidecars import TimedEvents

# How annotations begin that say nothing continuous lies on both sides; MNE's own prefixes.
_SEPARATORS = ("EDGE", "BAD_ACQ_SKIP")


@dataclass(frozen=True)
class Span:
    """A stretch of a recording, s from its first sample."""

    start_s: float
    stop_s: float

    @property
    def duration_s(self) -> float:
        """Length, s."""
        return self.stop_s - self.start_s


def annotations(raw: BaseRaw) -> list[tuple[float, float, str]]:
    """Onset and duration, s from the first sample, and text of each annotation."""
    # MNE's onsets count from the start of acquisition, not from the first sample kept.
    return [(float(note["onset"]) - raw.first_time, float(note["duration"]), str(note["description"])) for note in raw.annotations]


def mark_boundaries(raw: BaseRaw, text: str) -> None:
    """Make of annotations of some text, in place, those that nothing is filtered across.

    A format may place them half a sample before what follows, and give them the length of what is missing, as EEGLAB does.
    """
    found = np.flatnonzero(raw.annotations.description == text)
    at = np.ceil((raw.annotations.onset[found] - raw.first_time) * raw.info["sfreq"] - 1e-3)
    raw.annotations.delete(found)
    raw.annotations.append(at[at > 0] / raw.info["sfreq"] + raw.first_time, 0.0, "EDGE boundary")


def bad_spans(raw: BaseRaw) -> list[Span]:
    """Spans that annotations call bad, or that hold a boundary of acquisition."""
    return [Span(onset_s, onset_s + duration_s) for onset_s, duration_s, text in annotations(raw) if _is_bad(text)]


def continuous_pieces(raw: BaseRaw) -> list[Span]:
    """Stretches that no boundary or skipped acquisition interrupts: what is filtered as one."""
    pieces, start_s = [], 0.0
    separators = sorted((onset_s, duration_s) for onset_s, duration_s, text in annotations(raw) if text.upper().startswith(_SEPARATORS))
    for onset_s, duration_s in separators:
        pieces.append(Span(start_s, onset_s))
        start_s = max(start_s, onset_s + duration_s)
    pieces.append(Span(start_s, len(raw.times) / raw.info["sfreq"]))
    return [piece for piece in pieces if piece.duration_s > 0]


def recorded_events(raw: BaseRaw) -> TimedEvents:
    """Events from annotations that are not bad spans; without any, from the trigger line, named by their code."""
    named = [annotation for annotation in annotations(raw) if not _is_bad(annotation[2])]
    if named:
        onsets, durations, texts = zip(*named, strict=True)
        return TimedEvents(np.array(onsets), np.array(durations), tuple(texts))
    if "stim" not in raw:
        return TimedEvents(np.empty(0), np.empty(0), ())
    # A code may follow another without a return to zero, as button presses on ds000117's line do.
    found = mne.find_events(raw, consecutive="increasing", min_duration=2 / raw.info["sfreq"], verbose="error")
    onsets_s = (found[:, 0] - raw.first_samp) / raw.info["sfreq"]
    return TimedEvents(onsets_s, np.zeros(len(found)), tuple(str(code) for code in found[:, 2]))


def _is_bad(description: str) -> bool:
    return description.upper().startswith(("BAD", *_SEPARATORS))
