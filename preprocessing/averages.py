"""An averaged response to predict from: what a model reads, from one condition of a FIF of averages."""

from pathlib import Path

import mne
from mne.io import RawArray

from crossmodal.config import UserError
from preprocessing.readers.heads.points import check_points
from preprocessing.signals.broken import translate_reading_errors

# As MNE names files of averages.
_SUFFIXES = tuple(f"{joint}ave.fif{packed}" for joint in "-_" for packed in ("", ".gz"))


def is_average(path: str) -> bool:
    """Tell whether a file is called as one of averages."""
    return path.endswith(_SUFFIXES)


def read_average(path: Path, called: str, condition: str | None) -> tuple[RawArray, int]:
    """Read one average as a short recording, and the number of its first sample; sample 0 is the event.

    Parameters
    ----------
    path : Path
    called : str
        What sentences call it.
    condition : str, optional
        As the file calls it; not needed where there is one.

    Raises
    ------
    UserError
        The file cannot be read, lacks the condition, or has several of which none was chosen; the sentence names them.
    """
    with translate_reading_errors(called, "averages"):
        averages = mne.read_evokeds(path, verbose="error")
    named = {average.comment: average for average in averages if average.kind == "average"}
    chosen = condition if condition is not None or len(named) != 1 else next(iter(named))
    if chosen not in named:
        asked = f"has no condition '{chosen}'" if chosen else "has several conditions"
        raise UserError(f"{called}: {asked}; choose one by --condition: {', '.join(map(repr, named)) or 'there is none'}")
    average = named[chosen]
    raw = RawArray(average.data, average.info, verbose="error")
    check_points(raw, called)
    return raw, int(average.first)
