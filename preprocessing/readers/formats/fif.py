"""FIF recordings with all their parts, complete or refused: MNE reads those that end between two buffers of samples, and says nothing."""

import struct
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import mne
from mne.io import BaseRaw
from mne.io.constants import FIFF

from crossmodal.config import UserError
from preprocessing.readers.formats.fif_parts import check_continues, join
from preprocessing.signals.broken import translate_reading_errors

# Of a tag: its kind, type, size, and where the next one begins, 0 where that is behind it and -1 where there is none.
TAG = struct.Struct(">iIii")
_ROLE = struct.Struct(">i")


class FifPart(mne.io.Raw):  # type: ignore[misc]
    """One file of a recording.

    MNE would go on to the part that the file names. It does not find one that was renamed, and where a file holds a number without a name
    may take the file itself for the next (mne-python#8339).

    Attributes
    ----------
    next_name : str
        How the file calls the part after it; empty where it names none.
    """

    next_name = ""

    def _read_raw_file(self, *arguments: Any, **options: Any) -> tuple[Any, None, float]:
        raw, following, buffer_s = super()._read_raw_file(*arguments, **options)
        self.next_name = Path(following).name if following else ""
        return raw, None, buffer_s


def read_fif(path: Path, called: str, parts: Mapping[str, Path]) -> BaseRaw:
    """Open a recording with its parts; raw data with internal active shielding, too: an empty room needs no SSS, and the run says so.

    Parameters
    ----------
    path : Path
        Its first part.
    called : str
        What sentences call that.
    parts : mapping of str to Path
        Those after it, in order, by what sentences call them.

    Raises
    ------
    UserError
        A file is broken, ends before its blocks do, does not go on where the one before it ends, or is no first part; or one is missing.
    """
    opened = dict[str, FifPart]()
    for part, file in {called: path, **parts}.items():
        if opened and not file.exists():
            raise UserError(f"{part}: the part of {called} is missing; fetch it, or leave the recording out")
        with translate_reading_errors(part):
            # One that is compressed and ends early cannot be decompressed.
            if file.suffix != ".gz":
                _check_tags(file, part, is_first=part == called)
            opened[part] = FifPart(file, allow_maxshield="yes", verbose="error")
    for before, part in pairwise(opened):
        check_continues(opened[part], opened[before], part, before, opened[before].next_name)
    last = [*opened][-1]
    if missing := opened[last].next_name:
        raise UserError(
            f"{last}: goes on in {missing}, which is missing or not called as a part of it; fetch it, or leave the recording out"
        )
    return join(opened)


def _check_tags(path: Path, called: str, is_first: bool) -> None:
    """Follow the tags of a file to its end.

    Raises
    ------
    UserError
        The first part of a recording names one before it.
    ValueError
        A tag leads back, and MNE would follow it for ever; or fewer blocks end than begin, as where a file was cut.
    """
    left_open, at = 0, 0
    with path.open("rb") as file:
        while len(header := file.read(TAG.size)) == TAG.size:
            kind, _, size, following = TAG.unpack(header)
            if size < 0 or 0 < following <= at:
                raise ValueError(f"{path.name} is damaged: the tag at byte {at} leads back")
            if kind == FIFF.FIFF_REF_ROLE and is_first and _ROLE.unpack(file.read(_ROLE.size))[0] == FIFF.FIFFV_ROLE_PREV_FILE:
                raise UserError(f"{called}: is a later part of a recording; name the first, or leave it out")
            left_open += (kind == FIFF.FIFF_BLOCK_START) - (kind == FIFF.FIFF_BLOCK_END)
            if following == -1:
                break
            at = max(following, at + TAG.size + size)
            file.seek(at)
    if left_open:
        raise ValueError(f"{path.name} is truncated: it ends before its data do")
