"""Say of what cannot be read which file it is, and why."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from crossmodal.config import UserError

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=\S)")
# What only who calls a library can follow: its parameters, functions, packages and developers.
_HINT = re.compile(
    r"\w+\s?=\s?\S|`|://|\b(mne|np|numpy|scipy|locale)\.\w|\w\(\)|\b(preload|verbose|overrides|uint16_codec|read_\w+|allow_\w+|on_\w+)\b"
    r"|\b(parameter|argument|keyword|environment variable|pip|h5py|pymatreader|GitHub|MNE-Python)\b|developers",
    re.IGNORECASE,
)


@contextmanager
def translate_reading_errors(called: str, wanted: str = "a recording") -> Iterator[None]:
    """Say in one sentence that a file is broken: readers fail with whatever they stumble over, some only when samples are loaded.

    Parameters
    ----------
    called : str
        What the sentence calls the file.
    wanted : str
        What it was to be read as.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{called}: cannot be read as {wanted} ({cause_of(error)}); replace the file or leave it out") from error


def cause_of(error: Exception) -> str:
    """What a library says went wrong, on one line and without its advice to programmers, which no setting reaches."""
    return without_hints(str(error)) or type(error).__name__


def without_hints(text: str) -> str:
    """Leave out of a text the sentences that advise programmers; what is left is on one line, and may be nothing."""
    sentences = _SENTENCE_END.split(" ".join(text.split()))
    return " ".join(sentence for sentence in sentences if not _HINT.search(sentence))
