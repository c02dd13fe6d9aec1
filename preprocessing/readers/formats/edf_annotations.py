"""Annotations of EDF+ and BDF+ of several lines, which MNE leaves out."""

import re

from preprocessing.readers.text import decode

# Onset, duration and texts, as Kemp and Olivan (2003), Clin. Neurophysiol. 114:1755, lay them out.
_SEVERAL_LINES = re.compile(rb"([+-]\d+\.?\d*)(?:\x15(\d+\.?\d*))?\x14([^\x00]*\n[^\x00]*)\x14\x00")
# The first one says when the recording begins.
_BEGINS = re.compile(rb"([+-]\d+\.?\d*)\x14\x14")


def annotations_of_several_lines(stored: bytes) -> list[tuple[float, float, str]]:
    """Onset, s from the first sample, duration, s, and text, on one line, of annotations of several.

    Parameters
    ----------
    stored : bytes
        What the signal of annotations holds, of all records.
    """
    begins = _BEGINS.match(stored)
    begin_s = float(begins[1]) if begins else 0.0
    return [
        (float(onset) - begin_s, float(duration or 0), " ".join(decode(text).split()))
        for onset, duration, texts in _SEVERAL_LINES.findall(stored)
        for text in texts.split(b"\x14")
        if text.strip()
    ]
