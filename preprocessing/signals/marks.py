"""What a text beside a recording means that names no event: that samples are bad, or that nothing continuous lies on both sides.

Annotations, markers and rows of events.tsv say it in many ways, and MNE knows two: texts that begin with BAD, and with EDGE. A text is
looked at with and without what a format writes before it, as BrainVision's 'Comment/BAD_x'.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

# MNE's name for what was not recorded within a file: bad, and a boundary at both ends.
SKIPPED = "BAD_ACQ_SKIP"
_SKIPPED = re.compile(r"bad[\W_]*acq[\W_]*skip", re.IGNORECASE)
_BAD = re.compile(r"bad[\W_]*", re.IGNORECASE)
_EDGE = re.compile(r"edge", re.IGNORECASE)
# EEGLAB's boundary; its code where events are numbers, as ERPLAB and EEGLAB's option_boundary99 have it; BrainVision's, where a recorder
# paused.
_BOUNDARY = re.compile(r"boundary|-99(\.0*)?$|new[\W_]*segment", re.IGNORECASE)
# What cannot be meant for a stimulus or an answer, as 'bad' and 'edge' can.
_PLAIN = re.compile(r"BAD|EDGE boundary|(?i:boundary|new[\W_]*segment)")
_SEPARATOR = re.compile(r"[/:;,|\\]|\s-+\s|^comment\b|^comment_", re.IGNORECASE)
# Of cells and lists in MATLAB and Python, written as text.
_DRESS = " \t'\"[](){}/"


@lru_cache(maxsize=1024)
def settled(text: str) -> tuple[str, ...]:
    """Tell how MNE would call what a text marks.

    Parameters
    ----------
    text : str
        Of an annotation, a marker or a cell.

    Returns
    -------
    tuple of str
        Names that begin with BAD or EDGE, both where a bad span begins with a boundary; empty where the text names an event.
    """
    for part in _parts(text):
        if _SKIPPED.match(part):
            return (SKIPPED,)
        if bad := _BAD.match(part):
            return (part, f"EDGE {part[bad.end() :]}") if _BOUNDARY.match(part, bad.end()) else (part,)
        if _EDGE.match(part):
            return (part,)
        if _BOUNDARY.match(part):
            return (f"EDGE {part}",)
    return ()


def is_plain(text: str) -> bool:
    """Tell whether a text marks something whatever it is written beside."""
    return _PLAIN.match(text.strip(_DRESS)) is not None


def is_bad(name: str) -> bool:
    """Tell whether a settled name is that of a bad span."""
    return _BAD.match(name) is not None


def is_boundary(name: str) -> bool:
    """Tell whether nothing is filtered across what a settled name marks."""
    return name.startswith(SKIPPED) or _EDGE.match(name) is not None


def _parts(text: str) -> Iterator[str]:
    """The text, and what is left of it behind each separator."""
    for start in (0, *(separator.end() for separator in _SEPARATOR.finditer(text))):
        yield text[start:].strip(_DRESS).lstrip("_")
