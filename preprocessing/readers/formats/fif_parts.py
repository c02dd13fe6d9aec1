"""A FIF recording that was too long for one file: names tell which its parts are, and where one ends the next begins.

Samples are counted through, and events stay where they are.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import mne
from mne.io import BaseRaw

from crossmodal.config import UserError
from preprocessing.readers.entry import SourceFile
from preprocessing.signals.broken import translate_reading_errors

# Elekta and MNE call them run_raw.fif, run_raw-1.fif, run_raw-2.fif; BIDS run_split-01_meg.fif, run_split-02_meg.fif.
_NUMBERED = re.compile(r"(.+)-(\d+)(\.fif(?:\.gz)?)", re.IGNORECASE)
_SPLIT = re.compile(r"(.*_)split-(\d+)(_.*\.fif(?:\.gz)?)", re.IGNORECASE)
_ADVICE = "fetch the part that is missing, rename what is no part of it, or leave the recording out"


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


def check_continues(part: BaseRaw, before: BaseRaw, called: str, called_before: str, next_name: str) -> None:
    """Refuse a file that is no part of the same recording, or not the next.

    Parameters
    ----------
    part, before : BaseRaw
        The file, and the one that it should go on with.
    called, called_before : str
        What sentences call them.
    next_name : str
        How the file before calls the part after it, if at all: of one so named, the count of samples may begin anew.

    Raises
    ------
    UserError
        Rate or channels are others, or its first sample is not the one after the last of the part before.
    """
    named = called.rpartition("/")[2] == next_name
    if part.info["sfreq"] != before.info["sfreq"]:
        rates = f"{part.info['sfreq']:g} Hz, and not the {before.info['sfreq']:g} Hz of {called_before}"
        raise UserError(f"{called}: has {rates}, of which it is a part by its name; {_ADVICE}")
    if part.ch_names != before.ch_names:
        different = sorted(set(part.ch_names) ^ set(before.ch_names))
        which = f"other channels ({', '.join(different[:5])})" if different else "its channels in another order"
        raise UserError(f"{called}: has {which} than {called_before}, of which it is a part by its name; {_ADVICE}")
    if not named and part.info["meas_date"] != before.info["meas_date"]:
        raise UserError(f"{called}: was recorded at another time than {called_before}, of which it is a part by its name; {_ADVICE}")
    gap = part.first_samp - before.last_samp - 1
    if gap > 0 or (gap < 0 and not named):
        where = f"begins {abs(gap) / part.info['sfreq']:g} s {'after' if gap > 0 else 'before'} {called_before} ends"
        other = f" ({called_before} names {next_name} instead)" if next_name and not named else ""
        raise UserError(f"{called}: {where}, and is the part after it by its name{other}; {_ADVICE}")


def join(parts: Mapping[str, BaseRaw]) -> BaseRaw:
    """Put parts that continue each other together, by what sentences call them; the first one is changed in place.

    Raises
    ------
    UserError
        A part has other calibrations or projections than the first.
    """
    (_, whole), *later = parts.items()
    if not later:
        return whole
    notes = _joined_annotations(list(parts.values()))
    bads = sorted({name for part in parts.values() for name in part.info["bads"]})
    for called, part in later:
        part.info["bads"] = whole.info["bads"] = bads
        with translate_reading_errors(called, "a part of the recording"):
            whole.append(part)
    # MNE marks each joint as a boundary, at which recordings are masked and filtered apart; here none is.
    return whole.set_annotations(notes, verbose="error")


def _joined_annotations(parts: list[BaseRaw]) -> mne.Annotations:
    """Annotations of all parts, s from the first sample; each part holds those of its own stretch, cut off at its ends."""
    half_a_sample_s = 0.5 / parts[0].info["sfreq"]
    kept, start_s = list[dict[str, Any]](), 0.0
    for part in parts:
        stop_s = start_s + len(part.times) / part.info["sfreq"]
        ended_here = [note for note in kept if abs(note["onset"] + note["duration"] - start_s) < 2 * half_a_sample_s and note["duration"]]
        for note in part.annotations:
            onset_s = float(note["onset"]) - part.first_time + start_s
            same = [other for other in ended_here if other["description"] == note["description"]]
            if onset_s < start_s + half_a_sample_s and same:
                same[0]["duration"] = onset_s + float(note["duration"]) - same[0]["onset"]
            elif onset_s < stop_s - half_a_sample_s or part is parts[-1]:
                kept.append(
                    {
                        "onset": onset_s,
                        "duration": float(note["duration"]),
                        "description": note["description"],
                        "ch_names": note.get("ch_names", ()),
                    }
                )
        start_s = stop_s
    columns = {key: [note[key] for note in kept] for key in ("onset", "duration", "description", "ch_names")}
    return mne.Annotations(**columns)
