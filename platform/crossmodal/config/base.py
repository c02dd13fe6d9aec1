"""What every config is: frozen, strict, and identified by its content."""

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict


class UserError(ValueError):
    """A mistake the user can mend; jobs print its one sentence and exit with code 2."""


class UnavailableError(UserError):
    """A store or disk that does not answer, refuses or is full: what was to go there is at no fault, and the same again may succeed."""


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
