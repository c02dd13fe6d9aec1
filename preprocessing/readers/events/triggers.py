"""Events from trigger lines: those whose codes an experiment names, and all that are on the lines of a recording."""

import re
from difflib import get_close_matches

import numpy as np
from mne.io import BaseRaw
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.config.recordings import Triggers
from preprocessing.readers.events.timed_events import TimedEvents
from preprocessing.readers.events.trigger_line import Arrivals, Line, arrivals, as_codes, from_rest, settled, tell_unseen

# What Elekta's and MNE's systems put together of all inputs; STI001 to STI016 hold one bit each.
_TOGETHER = ("STI101", "STI 014")
_OF_ONE_BIT = re.compile(r"STI ?0(0[1-9]|1[0-6])")


def trigger_events(raw: BaseRaw, triggers: Triggers, called: str) -> tuple[TimedEvents, tuple[str, ...]]:
    """Read when each named code comes on a line, s from the first sample; a delay of the stimulus is not in it.

    Parameters
    ----------
    raw : BaseRaw
        Need not be loaded.
    triggers : Triggers
        The line, the bits to ignore, the shortest code, and names.
    called : str
        What sentences call the recording.

    Returns
    -------
    events : TimedEvents
    notes : tuple of str
        Sentences that the run should say.

    Raises
    ------
    UserError
        There is no such line, or none of the codes on it.
    """
    if triggers.channel not in raw.ch_names:
        nearest = get_close_matches(triggers.channel, raw.ch_names, n=1, cutoff=0.0)[0]
        raise UserError(f"{called}: has no trigger line '{triggers.channel}' (recordings.triggers.channel); the nearest is '{nearest}'")
    stored = as_codes(raw.get_data(picks=[triggers.channel])[0])
    found = arrivals(stored.codes_t & ~triggers.mask)
    line, known = stored, _named(found, triggers, raw.info["sfreq"])
    if not known.any():
        line = from_rest(stored)
        found_from_rest = arrivals(line.codes_t & ~triggers.mask)
        known = _named(found_from_rest, triggers, raw.info["sfreq"])
        if not known.any():
            there = ", ".join(str(code) for code in np.unique(found.code)[:10]) or "no code at all"
            raise UserError(f"{called}: its trigger line {triggers.channel} holds none of recordings.triggers.codes, but {there}")
        found = found_from_rest
    names = tuple(triggers.names[code] for code in found.code[known].tolist())
    return _timed(found.sample[known], names, raw.info["sfreq"]), _told(triggers.channel, line.notes)


def line_events(raw: BaseRaw) -> tuple[TimedEvents, tuple[str, ...]]:
    """Read every code that comes on the trigger lines of a recording, named by the code; with its line where several hold some.

    Parameters
    ----------
    raw : BaseRaw
        Need not be loaded.

    Returns
    -------
    events : TimedEvents
        s from the first sample.
    notes : tuple of str
        Sentences that the run should say.
    """
    names = [name for name, kind in zip(raw.ch_names, raw.get_channel_types(), strict=True) if kind == "stim"]
    stored = dict(zip(names, raw.get_data(picks=names), strict=True)) if names else {}
    is_put_together = any(name in stored for name in _TOGETHER)
    lines, notes = _read_lines({name: stored_t for name, stored_t in stored.items() if np.ptp(stored_t)}, is_put_together)
    samples, texts = list[NDArray[np.int64]](), list[str]()
    for name, line in lines.items():
        found = arrivals(line.codes_t)
        samples.append(found.sample)
        texts += [f"{name}/{code}" if len(lines) > 1 else str(code) for code in found.code]
        notes += _told(name, (*line.notes, *tell_unseen(line.codes_t)))
    sample = np.concatenate(samples) if samples else np.empty(0, np.int64)
    order = np.argsort(sample, kind="stable")
    return _timed(sample[order], tuple(texts[index] for index in order), raw.info["sfreq"]), notes


def _read_lines(stored: dict[str, NDArray[np.float64]], is_put_together: bool) -> tuple[dict[str, Line], tuple[str, ...]]:
    """Choose among lines that change, and read them; also say what is put together or left out.

    Parameters
    ----------
    stored : dict of str to float64 array, shape (T,)
        Lines by name.
    is_put_together : bool
        The system puts triggers together on one line, be it among these or not: lines that are no inputs of that hold no triggers.
    """
    inputs = {name: int(bit[1]) for name in stored if (bit := _OF_ONE_BIT.fullmatch(name)) and name not in _TOGETHER}
    together = next((name for name in _TOGETHER if name in stored), None)
    others = [name for name in stored if name not in {together, *inputs}]
    notes = tuple[str, ...]()
    lines = {name: from_rest(as_codes(stored[name])) for name in ([together] if together else [*inputs])}
    if inputs and not together:
        codes_t = sum((line.codes_t != 0).astype(np.int64) << (inputs[name] - 1) for name, line in lines.items())
        lines = {"STI": Line(np.asarray(codes_t), tuple(f"({name}) {note}" for name, line in lines.items() for note in line.notes))}
        notes = (f"its trigger codes are put together from {', '.join(inputs)}, one bit each",)
    if not is_put_together:
        lines |= {name: from_rest(as_codes(stored[name])) for name in others}
    elif others:
        notes += (f"its lines {', '.join(others)} change, too, and are not read as triggers; recordings.triggers.channel names one",)
    return {name: settled(line) for name, line in lines.items()}, notes


def _named(found: Arrivals, triggers: Triggers, sfreq: float) -> NDArray[np.bool_]:
    """Which codes have names, and stand long enough; shape (n,)."""
    return np.isin(found.code, list(triggers.names)) & (found.stands >= triggers.min_duration_s * sfreq - 1e-6)


def _told(name: str, notes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"its trigger line {name} {note}" for note in notes)


def _timed(sample: NDArray[np.int64], names: tuple[str, ...], sfreq: float) -> TimedEvents:
    return TimedEvents(sample / sfreq, np.zeros(len(sample)), names)
