"""Find nasion and ears among what coordsystem.json or electrodes.tsv names, and the unit that they are in."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossmodal.config import UserError
from preprocessing.readers.heads.size import METRES, fits_head, fitting_unit, misfit

_UNITS = {"m": "met(?:er|re)s?|m", "cm": "centimet(?:er|re)s?|cm", "mm": "millimet(?:er|re)s?|mm"}
# What coordsystem.json calls them, and electrodes.tsv where they are digitised beside the electrodes.
_NAMES = {
    "nasion": ("nas", "nasion", "nz", "fidnz"),
    "lpa": ("lpa", "leftpreauricularpoint", "leftpreauricular", "leftperiauricularpoint", "leftear", "lhj", "fidt9"),
    "rpa": ("rpa", "rightpreauricularpoint", "rightpreauricular", "rightperiauricularpoint", "rightear", "rhj", "fidt10"),
}
# Anatomical landmarks come first: what BIDS calls fiducials may be markers elsewhere on the head.
_KEYS = ("AnatomicalLandmark", "Fiducials")
_UNSTATED = ("", "n/a")
_Place = NDArray[np.float64]


def stated_landmarks(described: Mapping[str, Any], called: str) -> dict[str, _Place]:
    """Nasion, lpa and rpa, m, of coordsystem.json; empty where not all three are told in the electrodes' coordinates.

    Raises
    ------
    UserError
        Their unit is none of length, or no head is as large.
    """
    for kind in _KEYS:
        stated = described.get(f"{kind}Coordinates")
        found = nasion_and_ears(stated) if isinstance(stated, dict) else {}
        system, of_electrodes = (str(described.get(f"{each}CoordinateSystem", "")).casefold() for each in (kind, "EEG"))
        if not found or system not in (*_UNSTATED, of_electrodes):
            continue
        has_unit = str(described.get(f"{kind}CoordinateUnits", "")).casefold() not in _UNSTATED
        key = f"{kind if has_unit else 'EEG'}CoordinateUnits"
        unit = stated_unit(described, key, np.array(list(found.values())), called)
        found = {name: METRES[unit] * place for name, place in found.items()}
        # A newborn's ears are nearer to the origin than any electrode.
        nasion_m = (found["nasion"] - between_ears(found))[None]
        if not fits_head(nasion_m):
            raise UserError(f"{called}: the nasion in its coordsystem.json {misfit(nasion_m, unit)}; correct {key}")
        return found
    return {}


def nasion_and_ears(points: Mapping[str, Any]) -> dict[str, _Place]:
    """Find three points by the names they go by; none where one is missing, says no three numbers, or they lie in a line."""
    found = {}
    for name, value in points.items():
        plain = re.sub(r"[^a-z0-9]", "", str(name).casefold())
        landmark = next((each for each, names in _NAMES.items() if plain in names), None)
        place = _three_numbers(value)
        if landmark and place is not None:
            found[landmark] = place
    if len(found) < len(_NAMES):
        return {}
    to_right, to_front = found["rpa"] - found["lpa"], found["nasion"] - found["lpa"]
    area = np.linalg.norm(np.cross(to_right, to_front))
    return found if area > 0.01 * np.linalg.norm(to_right) * np.linalg.norm(to_front) else {}


def between_ears(landmarks_m: Mapping[str, _Place]) -> _Place:
    """Where the origin of a head is; that of the coordinates themselves where no landmark is known."""
    return np.asarray((landmarks_m["lpa"] + landmarks_m["rpa"]) / 2) if landmarks_m else np.zeros(3)


def stated_unit(described: Mapping[str, Any], key: str, places: _Place, called: str) -> str:
    """Name the unit that coordsystem.json states of places, shape (n, 3), in any of its spellings.

    Raises
    ------
    UserError
        It states none of length; the sentence names the one that would fit a head.
    """
    stated = described.get(key)
    unit = next((unit for unit, spelling in _UNITS.items() if re.fullmatch(spelling, str(stated).strip(), re.IGNORECASE)), None)
    if unit is None:
        fitting = fitting_unit(places)
        advice = f"the unit '{fitting}' would fit; " if fitting else ""
        raise UserError(f"{called}: its coordsystem.json has the unit '{stated}', not {', '.join(_UNITS)}; {advice}correct {key}")
    return unit


def _three_numbers(value: Any) -> _Place | None:
    try:
        place = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return place if place.shape == (3,) and np.isfinite(place).all() else None
