"""Place electrodes where electrodes.tsv says they are, in head coordinates."""

import math
from collections.abc import Mapping
from typing import Any

import mne
import numpy as np
from mne.io import BaseRaw
from mne.transforms import apply_trans
from numpy.typing import NDArray

from crossmodal.config import UserError
from preprocessing.readers.bids.tables import UNSTATED, rows_of
from preprocessing.readers.heads.frame import by_landmarks, by_name
from preprocessing.readers.heads.landmarks import between_ears, nasion_and_ears, stated_landmarks, stated_unit
from preprocessing.readers.heads.names import misplaced
from preprocessing.readers.heads.size import METRES, fits_head, misfit
from preprocessing.signals.channel_names import match_rows, unique_names

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
        Sentences that the run should say: of names that are not quite those of channels, and of coordinates that lead to the head only
        about, or not at all.

    Raises
    ------
    UserError
        A position is no number, its unit is none of length, no head is as large, electrodes do not lie where their names say, or the
        table's names are not those of the recording.
    """
    places = _places(table, called)
    if not places:
        return (f"{called}: holds no positions",)
    matched = match_rows(list(places), raw.ch_names, called)
    unit = stated_unit(described, "EEGCoordinateUnits", np.array(list(places.values())), called)
    places_m = {name: METRES[unit] * place for name, place in places.items()}
    landmarks_m = stated_landmarks(described, called) or nasion_and_ears(places_m)
    to_head, note = _to_head(np.array(list(places_m.values())), unit, landmarks_m, described, called)
    if to_head is None:
        return (*matched.notes, note)
    placed_m = {name: apply_trans(to_head, place_m) for name, place_m in places_m.items()}
    if told := misplaced(placed_m):
        raise UserError(f"{called}: {told}; correct EEGCoordinateSystem or the landmarks in coordsystem.json, or the table")
    known = {name: placed_m[row] for row, name in matched.channels.items() if row in placed_m}
    points = {name: apply_trans(to_head, place_m) for name, place_m in landmarks_m.items()}
    raw.set_montage(mne.channels.make_dig_montage(known, **points, coord_frame="head"), on_missing="ignore", verbose="error")
    return (*matched.notes, note) if note else matched.notes


def _to_head(
    places_m: _Place, unit: str, landmarks_m: Mapping[str, _Place], described: Mapping[str, Any], called: str
) -> tuple[_Place | None, str]:
    """Matrix from the electrodes' coordinates to the head's, None where nothing leads there, and what the run should say."""
    from_origin_m = places_m - between_ears(landmarks_m)
    if not fits_head(from_origin_m):
        raise UserError(f"{called}: its electrodes {misfit(from_origin_m, unit)}; correct EEGCoordinateUnits in coordsystem.json")
    if landmarks_m:
        return by_landmarks(landmarks_m), ""
    frame, description = (str(described.get(f"EEGCoordinateSystem{key}", UNSTATED)) for key in ("", "Description"))
    turned = by_name(frame, description, places_m)
    if turned is None:
        return None, (
            f"electrodes lie in '{frame}' coordinates without landmarks, and nobody knows which way these run: electrodes stand where the"
            " recording itself says, if it does; add AnatomicalLandmarkCoordinates to coordsystem.json"
        )
    return turned.to_head, turned.note


def _places(table: str, called: str) -> dict[str, _Place]:
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
        places.append(place)
    return dict(zip(unique_names(names), places, strict=True))
