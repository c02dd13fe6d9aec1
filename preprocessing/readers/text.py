"""Text of any encoding: sidecars, headers and annotations say none, so that it is told from the bytes, everywhere in the same way."""

import codecs
import json
import re
from pathlib import Path
from typing import Any

from crossmodal.config import UserError
from preprocessing.signals.broken import translate_reading_errors

# What the bytes begin with where they tell their encoding. UTF-32's mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LINE_END = re.compile(r"\r\n|\r|\n")


def decode(encoded: bytes) -> str:
    """Turn bytes to text: in the encoding that their mark names, else in UTF-8, else as Windows wrote before that (cp1252, latin-1).

    Raises
    ------
    ValueError
        They are no text.
    """
    mark, encoding = next(((mark, name) for mark, name in _MARKS if encoded.startswith(mark)), (b"", _unmarked(encoded)))
    body = encoded[len(mark) :]
    # Latin-1 gives a letter to every byte, and comes last; cp1252 has five that are none.
    for candidate in (encoding, "cp1252", "latin-1") if encoding == "utf-8" else (encoding,):
        try:
            text = body.decode(candidate)
            break
        except UnicodeDecodeError as error:
            cause = f"its bytes are not {encoding}: {error.reason}"
    else:
        raise ValueError(cause)
    if "\0" in text:
        raise ValueError("it holds bytes that are no letters")
    return text


def is_guessed(encoded: bytes) -> bool:
    """Tell whether nothing but habit says how bytes are text: they bear no mark, and are no UTF-8."""
    if any(encoded.startswith(mark) for mark, _ in _MARKS) or _unmarked(encoded) != "utf-8":
        return False
    # The sign for micro has one place in all code pages of Windows.
    return not any(_is_utf_8(candidate) for candidate in (encoded, encoded.replace(b"\xb5", b"u")))


def read_text(path: Path, called: str) -> str:
    """Read a text file.

    Parameters
    ----------
    path : Path
        Where a copy of it lies.
    called : str
        What sentences call it.

    Raises
    ------
    UserError
        It is no text; the sentence names it.
    """
    with translate_reading_errors(called, "text"):
        return decode(path.read_bytes())


def read_json(path: Path, called: str) -> dict[str, Any]:
    """Read what a JSON sidecar states.

    Raises
    ------
    UserError
        It is no JSON, or no object with names and values; the sentence names it.
    """
    with translate_reading_errors(called, "JSON"):
        stated = json.loads(read_text(path, called))
    if not isinstance(stated, dict):
        raise UserError(f"{called}: is JSON without names and values; correct it or leave it out")
    return stated


def lines_of(text: str) -> list[str]:
    """Split text where a line ends on Windows, Unix or an old Mac, and nowhere else, as `str.splitlines` would."""
    return _LINE_END.split(text)


def _unmarked(encoded: bytes) -> str:
    """Tell UTF-16 from UTF-8 where there is no mark: of the ASCII letters that all our tables begin with, every other byte is 0."""
    if encoded[1:2] == b"\0":
        return "utf-16-le"
    return "utf-16-be" if encoded[:1] == b"\0" else "utf-8"


def _is_utf_8(encoded: bytes) -> bool:
    try:
        encoded.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
