"""Stretches of a recording, s from its first sample, and what its annotations say of them."""

from dataclasses import dataclass

from mne.io import BaseRaw

from preprocessing.signals.marks import is_boundary, settled

# Onset and duration, s from the first sample, and text.
Annotation = tuple[float, float, str]


@dataclass(frozen=True)
class Span:
    """A stretch of a recording, s from its first sample."""

    start_s: float
    stop_s: float

    @property
    def duration_s(self) -> float:
        """Length, s."""
        return self.stop_s - self.start_s


def annotations(raw: BaseRaw) -> list[Annotation]:
    """Onset and duration, s from the first sample, and text of each annotation."""
    # MNE's onsets count from the start of acquisition, not from the first sample kept.
    return [(float(note["onset"]) - raw.first_time, float(note["duration"]), str(note["description"])) for note in raw.annotations]


def bad_spans(raw: BaseRaw) -> list[Span]:
    """Spans that annotations call bad, or that hold a boundary of acquisition."""
    return [Span(onset_s, onset_s + duration_s) for onset_s, duration_s, text in annotations(raw) if settled(text)]


def continuous_pieces(raw: BaseRaw) -> list[Span]:
    """Stretches that no boundary or skipped acquisition interrupts: what is filtered as one."""
    pieces, start_s = [], 0.0
    separators = sorted((onset_s, duration_s) for onset_s, duration_s, text in annotations(raw) if is_boundary(text))
    for onset_s, duration_s in separators:
        pieces.append(Span(start_s, onset_s))
        start_s = max(start_s, onset_s + duration_s)
    pieces.append(Span(start_s, len(raw.times) / raw.info["sfreq"]))
    return [piece for piece in pieces if piece.duration_s > 0]
