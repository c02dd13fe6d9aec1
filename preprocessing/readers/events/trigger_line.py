"""What a trigger line holds: whole numbers whose bits are inputs of the amplifier, and when a code comes on them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SIGN_BITS = (16, 32)


@dataclass(frozen=True)
class Line:
    """A trigger line.

    Attributes
    ----------
    codes_t : int64 array, shape (T,)
        Not below 0.
    notes : tuple of str
        What was done to its numbers, in sentences that go on after its name.
    """

    codes_t: NDArray[np.int64]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Arrivals:
    """When codes come on a line.

    Attributes
    ----------
    sample, code, stands : int64 array, shape (n,)
        Where each comes, what it is, and how many samples it stands.
    """

    sample: NDArray[np.int64]
    code: NDArray[np.int64]
    stands: NDArray[np.int64]


def as_codes(stored_t: NDArray[np.float64]) -> Line:
    """Read stored numbers, shape (T,), as codes: the highest bit of a 16-bit word is no sign."""
    notes = list[str]()
    codes_t = np.rint(np.nan_to_num(stored_t)).astype(np.int64)
    if np.abs(stored_t - codes_t).max(initial=0.0) > 1e-3:
        notes.append(f"holds numbers that are not whole ({stored_t.min():.3g} to {stored_t.max():.3g}), which are rounded")
    if (lowest := int(codes_t.min(initial=0))) < 0:
        bits = next((bits for bits in _SIGN_BITS if lowest >= -(2 ** (bits - 1))), 64)
        codes_t = np.where(codes_t < 0, codes_t + 2**bits, codes_t) if bits < 64 else np.abs(codes_t)
        notes.append(f"holds numbers below 0, which are read as {bits} bits without a sign: {lowest} as {codes_t[np.argmin(stored_t)]}")
    return Line(codes_t, tuple(notes))


def from_rest(line: Line) -> Line:
    """Take the bits away that are set while nothing happens.

    A line rests at the number that it holds for most of the time and in the beginning or end, as one whose inputs are pulled up does, or a
    status word of BioSemi; the bits that change from there are the codes. Bits that are set throughout say nothing in any case.
    """
    codes_t = line.codes_t
    numbers, counts = np.unique(codes_t, return_counts=True)
    if len(numbers) < 2:
        return Line(np.zeros_like(codes_t), line.notes)
    most = int(numbers[np.argmax(counts)])
    if 2 * counts.max() > len(codes_t) and most in (codes_t[0], codes_t[-1]):
        note = f"rests at {most}: its codes are the bits that change from there"
        return Line(codes_t ^ most, (*line.notes, note) if most else line.notes)
    always = int(np.bitwise_and.reduce(numbers))
    note = f"has bits that are set throughout ({always}), which are left out of its codes"
    return Line(codes_t ^ always, (*line.notes, note) if always else line.notes)


def settled(line: Line) -> Line:
    """Take codes away that stand for one sample between two others, as bits that change together are not all seen at once."""
    codes_t = line.codes_t.copy()
    changed = np.flatnonzero(np.diff(codes_t)) + 1
    brief = np.flatnonzero(np.diff(changed) == 1)
    before, after = codes_t[changed[brief] - 1], codes_t[changed[brief] + 1]
    passing = changed[brief[(after != 0) & (after != before)]]
    if not len(passing):
        return line
    example = f"{codes_t[passing[0]]} before {codes_t[passing[0] + 1]}"
    for sample in passing:
        codes_t[sample] = codes_t[sample - 1]
    note = f"holds {len(passing)} codes for one sample on the way to others, which are no events: {example}"
    return Line(codes_t, (*line.notes, note))


def arrivals(codes_t: NDArray[np.int64]) -> Arrivals:
    """Find when codes come: at each change that sets a bit. One that only clears bits ends something, as a button let go."""
    changed = np.flatnonzero(np.diff(codes_t)) + 1
    stands = np.diff(np.append(changed, len(codes_t)))
    comes = (codes_t[changed] & ~codes_t[changed - 1]) != 0
    return Arrivals(changed[comes], codes_t[changed[comes]], stands[comes])


def tell_unseen(codes_t: NDArray[np.int64]) -> tuple[str, ...]:
    """Say what is on a line and is no arrival: a code that stands from the first sample on, and those left when others end."""
    notes = list[str]()
    if codes_t[0]:
        notes.append(f"holds {codes_t[0]} from the first sample on: when that came is not known, so that it is no event")
    changed = np.flatnonzero(np.diff(codes_t)) + 1
    before, code = codes_t[changed - 1], codes_t[changed]
    left = np.flatnonzero((code != 0) & (code & ~before == 0))
    if len(left):
        example = f"{before[left[0]]} to {code[left[0]]}"
        notes.append(f"falls {len(left)} times to a code that was part of the one before, which is no event: {example}")
    return tuple(notes)
