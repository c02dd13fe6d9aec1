"""Events from a trigger line whose codes an experiment names."""

from difflib import get_close_matches

import mne
import numpy as np
from mne.io import BaseRaw

from crossmodal.config import UserError
from crossmodal.config.sources import Triggers
from preprocessing.sources.events import TimedEvents


def trigger_events(raw: BaseRaw, triggers: Triggers, called: str) -> TimedEvents:
    """Read when each named code appears on the line, s from the first sample; a delay of the stimulus is not in it.

    Parameters
    ----------
    raw : BaseRaw
        Need not be loaded.
    triggers : Triggers
        The line, the bits to ignore, the shortest code, and names.
    called : str
        What sentences call the recording.

    Raises
    ------
    UserError
        There is no such line, or none of the codes on it.

    Notes
    -----
    Source: `mne.find_events` with consecutive="increasing", since a button pressed while a picture's code stands only adds bits to it.
    """
    if triggers.channel not in raw.ch_names:
        nearest = get_close_matches(triggers.channel, raw.ch_names, n=1, cutoff=0.0)[0]
        raise UserError(f"{called}: has no trigger line '{triggers.channel}' (recordings.triggers.channel); the nearest is '{nearest}'")
    found = mne.find_events(
        raw,
        stim_channel=triggers.channel,
        consecutive="increasing",
        min_duration=triggers.min_duration_s,
        shortest_event=1,
        mask=triggers.mask,
        mask_type="not_and",
        verbose="error",
    )
    names = triggers.names
    known = np.array([event for event in found if event[2] in names], dtype=np.int64).reshape(-1, 3)
    if not len(known):
        there = ", ".join(str(code) for code in np.unique(found[:, 2])[:10]) or "no code at all"
        raise UserError(f"{called}: its trigger line {triggers.channel} holds none of recordings.triggers.codes, but {there}")
    onset_s = (known[:, 0] - raw.first_samp) / raw.info["sfreq"]
    return TimedEvents(onset_s, np.zeros(len(known)), tuple(names[code] for code in known[:, 2]))
