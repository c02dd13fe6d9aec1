"""Marker files of BrainVision, put so that MNE reads them whatever their encoding and line ends."""

import re

from crossmodal.config import UserError
from preprocessing.readers.text import lines_of

_HEADER = "Brain Vision Data Exchange Marker File, Version 1.0"
_SEGMENT = "New Segment"
_SECTION = re.compile(r"\s*\[Marker Infos\]\s*", re.IGNORECASE)
# Mk<number>=<type>,<text>,<position from 1>,<length>,<channel>,<date>; BrainVision Core Data Format 1.0.
_MARKER = re.compile(r"\s*Mk(\d+)\s*=(.*)", re.IGNORECASE)
_CELLS = re.compile(r"([^,]*),([^,]*),\s*(\d+)\s*,([^,]*)(,.*)?")


def mended_markers(text: str, called: str) -> tuple[str, int]:
    """Return the same markers for UTF-8, and the last one's position from 1, or 0 where there is none.

    Parameters
    ----------
    text : str
        Of the marker file.
    called : str
        What sentences call it.

    Raises
    ------
    UserError
        It has no section of markers, or one has no position; the sentence names the line.
    """
    lines = lines_of(text)
    begin = next((number for number, line in enumerate(lines) if _SECTION.fullmatch(line)), None)
    if begin is None:
        raise UserError(f"{called}: has no section [Marker Infos]; fetch the file again or leave the recording out")
    mended, last = [_HEADER, "[Common Infos]", "Codepage=UTF-8", "[Marker Infos]"], 0
    for number, line in enumerate(lines[begin + 1 :], start=begin + 2):
        if not (marker := _MARKER.fullmatch(line)):
            continue
        if not (cells := _CELLS.fullmatch(marker[2].strip())):
            raise UserError(f"{called}: line {number} is no marker ('{line.strip()}'); correct or remove it")
        kind, name, position, length, rest = cells.groups(default="")
        if not last and kind.strip() == _SEGMENT and int(position) > 1:
            # MNE leaves the first one out, wherever it is.
            mended.append(f"Mk0={_SEGMENT},,1,1,0")
        last = max(last, int(position))
        mended.append(f"Mk{marker[1]}={kind.strip()},{name.strip()},{position},{length.strip()}{rest.rstrip()}")
    return "\n".join(mended) + "\n", last
