"""Place electrodes where EEGLAB's chanlocs say they are: on any axes, in any unit, with or without fiducials."""

import warnings
from typing import Any

import mne
import numpy as np
from mne.io import BaseRaw
from mne.transforms import apply_trans
from numpy.typing import NDArray

from preprocessing.readers.heads.frame import affine, by_landmarks, to_ras
from preprocessing.readers.heads.landmarks import between_ears, nasion_and_ears
from preprocessing.readers.heads.size import METRES, fits_head, fitting_unit

# Which way x, y and z run, by where the nose points (EEGLAB's chaninfo.nosedir); z always runs up.
_AXES = {"+X": "ALS", "+Y": "RAS", "-X": "PRS", "-Y": "LPS"}


def place_by_chanlocs(raw: BaseRaw, chanlocs: Any, chaninfo: Any) -> None:
    """Set positions in head coordinates, in place, instead of MNE's: it takes noses to point along x, and fiducials as millimetres are.

    What cannot be placed is left without positions, with a warning.

    Parameters
    ----------
    raw : BaseRaw
        As MNE read it.
    chanlocs, chaninfo
        As SciPy reads EEGLAB's: structs, arrays of them, or empty.
    """
    locations = np.atleast_1d(chanlocs)
    if len(locations) != len(raw.ch_names):
        return
    found = {name: _place(location) for name, location in zip(raw.ch_names, locations, strict=True)}
    places = {name: place for name, place in found.items() if place is not None}
    if not places:
        return
    raw.set_montage(None)
    unit = fitting_unit(np.array(list(places.values())))
    told = getattr(chaninfo, "nosedir", "")
    nose = told.strip().upper() if isinstance(told, str) and told.strip() else "+X"
    if unit is None or nose not in _AXES:
        cause = f"its nose points along '{nose}'" if unit else "in no unit of length do they lie on a head of 5 to 15 cm in radius"
        warnings.warn(f"electrodes have no positions, for those in chanlocs are not understood: {cause}", RuntimeWarning, stacklevel=2)
        return
    landmarks_m = _landmarks(chaninfo, METRES[unit])
    to_head = by_landmarks(landmarks_m) if landmarks_m else affine(to_ras(_AXES[nose]))
    in_head = {name: apply_trans(to_head, METRES[unit] * place) for name, place in places.items()}
    fiducials = {name: apply_trans(to_head, place_m) for name, place_m in landmarks_m.items()}
    montage = mne.channels.make_dig_montage(in_head, **fiducials, coord_frame="head")
    raw.set_montage(montage, on_missing="ignore", verbose="error")


def _landmarks(chaninfo: Any, metre: float) -> dict[str, NDArray[np.float64]]:
    """Nasion and ears among what was digitised and not recorded; empty where they are not all there, or lie on no head."""
    points = {}
    for point in np.atleast_1d(getattr(chaninfo, "nodatchans", ())):
        place = _place(point)
        for key in ("labels", "description"):
            if place is not None:
                points[str(getattr(point, key, ""))] = metre * place
    found = nasion_and_ears(points)
    return found if found and fits_head((found["nasion"] - between_ears(found))[None]) else {}


def _place(location: Any) -> NDArray[np.float64] | None:
    """X, Y and Z of a struct; None where one is not there, or all are 0, as EEGLAB leaves what has no place."""
    values = [getattr(location, axis, None) for axis in "XYZ"]
    if any(not isinstance(value, int | float | np.number) for value in values):
        return None
    place = np.array(values, dtype=np.float64)
    return place if np.isfinite(place).all() and place.any() else None
