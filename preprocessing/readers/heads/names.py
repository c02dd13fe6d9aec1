"""Tell whether electrodes lie where caps have those of their names: a turned or mirrored head keeps every distance."""

import re
from collections.abc import Mapping
from functools import cache
from itertools import permutations, product

import mne
import numpy as np
from numpy.typing import NDArray

from preprocessing.readers.heads.frame import to_ras

# Electrodes of the 10-05 system, Oostenveld and Praamstra (2001), Clin. Neurophysiol. 112:713-719.
_CAP = "colin27_1005"
# Names of one letter may be another layout's (BioSemi's A1, B1, C1 ..., whose C3 is at the right), where such a one is among them.
_OTHER_LAYOUT = re.compile(r"[ABDEGH]\d+", re.IGNORECASE)
_ONE_LETTER = re.compile(r"[A-Z]\d+", re.IGNORECASE)
_FEWEST = 4
# Of places with their mean off, with those of a cap; heads and caps differ by less than .1, a quarter turn or a mirror leaves less than .4.
_LEAST_AGREEMENT, _CLEAR_AGREEMENT = 0.5, 0.8
_SIDES = {"R": "right", "L": "left", "A": "front", "P": "back", "S": "top", "I": "bottom"}


def misplaced(places_m: Mapping[str, NDArray[np.float64]]) -> str:
    """Say of electrodes, places in head coordinates by name, that they do not lie where their names say; empty where they do.

    Nothing is said of fewer than four whose names are those of the 10-05 system, nor of names that other layouts use, too.
    """
    cap = _cap()
    other = any(_OTHER_LAYOUT.fullmatch(name) for name in places_m)
    known = [name for name in places_m if name.casefold() in cap and not (other and _ONE_LETTER.fullmatch(name))]
    if len(known) < _FEWEST:
        return ""
    found_m, expected_m = np.array([places_m[name] for name in known]), np.array([cap[name.casefold()] for name in known])
    if _agreement(found_m, expected_m) >= _LEAST_AGREEMENT:
        return ""
    said = f"{', '.join(known[:3])} and others do not lie where caps have electrodes of these names"
    best = max(_orientations(), key=lambda axes: _agreement(found_m @ to_ras(axes).T, expected_m))
    if _agreement(found_m @ to_ras(best).T, expected_m) < _CLEAR_AGREEMENT:
        return said
    x, y, z = (_SIDES[letter] for letter in best)
    return f"{said}; they would if what is taken as right, front and top were {x}, {y} and {z}"


@cache
def _cap() -> dict[str, NDArray[np.float64]]:
    places = mne.channels.make_standard_montage(_CAP).get_positions()["ch_pos"]
    # A1 and A2, M1 and M2 are ears and mastoids, which caps place alike under other names.
    return {name.casefold(): place for name, place in places.items() if name not in {"A1", "A2", "M1", "M2"}}


def _agreement(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Correlation of two sets of places, shape (n, 3), whatever their size and origin."""
    first, second = first - first.mean(axis=0), second - second.mean(axis=0)
    scale = np.linalg.norm(first) * np.linalg.norm(second)
    return float((first * second).sum() / scale) if scale else 1.0


def _orientations() -> list[str]:
    """All ways that axes may run, mirrored ones among them."""
    pairs = permutations(("RL", "AP", "SI"))
    return ["".join(letters) for order in pairs for letters in product(*order)]
