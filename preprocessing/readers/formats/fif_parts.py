"""The files of a FIF recording that was too long for one: their names tell which they are, and in which order."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from preprocessing.readers.entry import SourceFile

# Elekta and MNE call them run_raw.fif, run_raw-1.fif, run_raw-2.fif; BIDS run_split-01_meg.fif, run_split-02_meg.fif.
_NUMBERED = re.compile(r"(.+)-(\d+)(\.fif(?:\.gz)?)", re.IGNORECASE)
_SPLIT = re.compile(r"(.*_)split-(\d+)(_.*\.fif(?:\.gz)?)", re.IGNORECASE)


def fif_parts(names: Iterable[str]) -> dict[str, list[str]]:
    """Gather the files of a folder that are parts of one recording, in order, by the name of the file that opens it.

    Of a recording whose first part is not there, the file that opens it is the first that is, if BIDS's split- tells its number.
    """
    found = defaultdict[tuple[str, ...], list[tuple[int, str]]](list)
    for name in names:
        if split := _SPLIT.fullmatch(name):
            found[split[1], split[3]].append((int(split[2]), name))
        elif numbered := _NUMBERED.fullmatch(name):
            found[(numbered[1] + numbered[3],)].append((int(numbered[2]), name))
    parts = dict[str, list[str]]()
    for key, files in found.items():
        ordered = [name for _, name in sorted(files)]
        first, later = (key[0], ordered) if len(key) == 1 else (ordered[0], ordered[1:])
        parts[first] = later
    return parts


def missing_split(files: Sequence[SourceFile]) -> str:
    """Say which part of a recording is not there, or there twice, by BIDS's split- in the names of its files; empty where none is."""
    numbers = [int(split[2]) for file in files if (split := _SPLIT.fullmatch(file.name))]
    for expected, number in enumerate(numbers, start=1):
        if number > expected:
            return f"{files[0].uri}: its part split-{expected:02} is missing; fetch it, or leave the recording out"
        if number < expected:
            return f"{files[0].uri}: its part split-{number:02} is there twice; keep one, or leave the recording out"
    return ""
