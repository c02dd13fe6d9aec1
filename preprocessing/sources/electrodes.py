"""Place electrodes where electrodes.tsv says they are, in head coordinates."""

import math
from collections.abc import Mapping
from typing import Any

import mne
import numpy as np
from mne.io import BaseRaw
from mne_bids.config import BIDS_TO_MNE_FRAMES
from numpy.typing import NDArray

from crossmodal.config import UserError
from preprocessing.sources.channel_names import match_rows, unique_names
from preprocessing.sources.tables import UNSTATED, rows_of

_METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001}
_LANDMARKS = {"nasion": ("NAS", "Nasion", "nasion"), "lpa": ("LPA",), "rpa": ("RPA",)}
_Place = NDArray[np.float64]


def place_electrodes(raw: BaseRaw, table: str, described: Mapping[str, Any], called: str) -> tuple[str, ...]:
    """Set the positions of a recording's electrodes, instead of what its file says of them.

    Parameters
    ----------
    raw : BaseRaw
        Need not be loaded; electrodes that the table does not list stay as they are.
    table : str
        Text of electrodes.tsv.
    described : mapping
        What coordsystem.json states.
    called : str
        What sentences call electrodes.tsv.

    Returns
    -------
    tuple of str
        Sentences that the run should say: of names that are not quite those of channels, and of coordinates that nothing leads from to
        the head.

    Raises
    ------
    UserError
        A position is no number, its unit is none of length, or the table's names are not those of the recording.
    """
    frame = BIDS_TO_MNE_FRAMES.get(described.get("EEGCoordinateSystem", "n/a"), "unknown")
    places = _places(table, _metres(described.get("EEGCoordinateUnits"), called), called)
    landmarks = _landmarks(described, called)
    matched = match_rows(list(places), raw.ch_names, called)
    known = {name: places[row] for row, name in matched.channels.items()}
    montage = mne.channels.make_dig_montage(known, **landmarks, coord_frame=frame)
    if frame == "mni_tal":
        montage.add_mni_fiducials()
    raw.set_montage(montage, on_missing="ignore", verbose="error")
    if frame == "head" or len(landmarks) == len(_LANDMARKS) or frame == "mni_tal":
        return matched.notes
    named = described.get("EEGCoordinateSystem", "n/a")
    lost = f"electrodes lie in '{named}' coordinates without landmarks, which are taken as those of the head; distances may be wrong"
    return (*matched.notes, lost)


def _places(table: str, metre: float, called: str) -> dict[str, _Place]:
    names, places = [], []
    for line, row in rows_of(table, called, required=("name", "x", "y", "z")).items():
        values = [row[axis] for axis in "xyz"]
        if UNSTATED in values:
            continue
        try:
            place = np.array([float(value) for value in values])
        except ValueError:
            place = np.full(3, math.nan)
        if not np.isfinite(place).all():
            raise UserError(f"{called}: line {line} has a position of {', '.join(values)}, not three numbers; correct or remove the line")
        names.append(row["name"])
        places.append(metre * place)
    return dict(zip(unique_names(names), places, strict=True))


def _landmarks(described: Mapping[str, Any], called: str) -> dict[str, _Place]:
    stated = described.get("AnatomicalLandmarkCoordinates") or {}
    metre = _metres(described.get("AnatomicalLandmarkCoordinateUnits", described.get("EEGCoordinateUnits")), called) if stated else 1.0
    found = {}
    for landmark, names in _LANDMARKS.items():
        for name in names:
            if name in stated:
                found[landmark] = metre * np.array(stated[name], dtype=np.float64)
    return found


def _metres(unit: Any, called: str) -> float:
    if unit not in _METRES:
        raise UserError(f"{called}: its coordsystem.json has the unit '{unit}', not {', '.join(_METRES)}; correct it")
    return _METRES[unit]
