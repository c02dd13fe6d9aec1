"""Say of what cannot be read which file it is, and why."""

from collections.abc import Iterator
from contextlib import contextmanager

from crossmodal.config import UserError


@contextmanager
def broken_told(called: str, wanted: str = "a recording") -> Iterator[None]:
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
        cause = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{called}: cannot be read as {wanted} ({cause}); replace the file or leave it out") from error
