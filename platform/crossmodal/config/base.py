"""What every config is: frozen, strict, and identified by its content."""

import hashlib
import json
import traceback
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

# Of a message; those of Ray hold the whole trace of a worker, and its cause comes last.
_LONGEST_END = 400


class UserError(ValueError):
    """A mistake the user can mend; jobs print its one sentence and exit with code 2."""


class UnavailableError(UserError):
    """A store or disk that does not answer, refuses or is full: what was to go there is at no fault, and the same again may succeed."""


def told(error: Exception) -> str:
    """Tell an error in a line: what a user can mend by its sentence, any other by its type, its message and where it was raised."""
    if isinstance(error, UserError):
        return str(error)
    message = " ".join(str(error).split())
    if len(message) > 2 * _LONGEST_END:
        message = f"{message[:_LONGEST_END]} ... {message[-_LONGEST_END:]}"
    *_, at = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__}: {message} (in {at.name}, {Path(at.filename).name}:{at.lineno})"


class Config(BaseModel):
    """A frozen group of settings that refuses unknown keys and non-finite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def fingerprint(content: Any) -> str:
    """Name a computation by what goes into it.

    Parameters
    ----------
    content : Config or anything JSON can hold
        Equal content gives an equal name on every machine.

    Returns
    -------
    str
        The first 16 hexadecimal digits of the SHA-256 of the canonical JSON.
    """
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"cannot fingerprint a {type(value).__name__}")
