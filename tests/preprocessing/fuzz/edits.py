"""Edits of a file's bytes, as bad disks, transfers and editors make them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Kind = Literal["flip", "overwrite", "remove", "insert", "repeat", "cut", "number", "swap"]
KINDS: tuple[Kind, ...] = ("flip", "overwrite", "remove", "insert", "repeat", "cut", "number", "swap")
# What numbers, words and separators break on.
TOKENS = (
    b"\0", b"\xff", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\0", b"\0\0\xc0\x7f", b"-1", b"0", b"1e308", b"nan",
    b"n/a", b"99999999", b"\t", b"\n", b"\r", b",", b" ", b"\"", b"{", b"]", b"\xb5V", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"mV", b"inf",
)  # fmt: skip


@dataclass(frozen=True)
class Edit:
    """One change, at a share of the file's length, of some bytes."""

    kind: Kind
    place: float
    size: int
    token: bytes

    def __call__(self, content: bytes) -> bytes:
        """Return the changed bytes."""
        at = min(int(self.place * len(content)), max(len(content) - 1, 0))
        before, changed, after = content[:at], content[at : at + self.size], content[at + self.size :]
        match self.kind:
            case "flip":
                return before + bytes(byte ^ (1 << self.size % 8) for byte in changed[:1]) + content[at + 1 :]
            case "overwrite":
                return before + self.token + content[at + len(self.token) :]
            case "remove":
                return before + after
            case "insert":
                return before + self.token + content[at:]
            case "repeat":
                return before + changed + changed + after
            case "cut":
                return before
            case "number":
                return before + self._next_number(content[at:])
            case "swap":
                return before + changed[::-1] + after

    def _next_number(self, rest: bytes) -> bytes:
        """Put the token where the next digit stands."""
        digits = [index for index, byte in enumerate(rest[:4096]) if 48 <= byte <= 57]
        return rest[: digits[0]] + self.token + rest[digits[0] + 1 :] if digits else rest


def drawn(rng: np.random.Generator) -> list[Edit]:
    """Draw one to three edits, half of them in the first tenth, where headers are."""
    return [
        Edit(
            kind=KINDS[rng.integers(len(KINDS))],
            place=float(rng.random() * (0.1 if rng.random() < 0.5 else 1.0)),
            size=int(2 ** rng.integers(8)),
            token=TOKENS[rng.integers(len(TOKENS))],
        )
        for _ in range(rng.integers(1, 4))
    ]
