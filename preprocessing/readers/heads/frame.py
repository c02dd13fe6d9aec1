"""Turn coordinates to MNE's head frame: by landmarks where there are three, else by what the name of their frame says of its axes.

MNE's frame, which is Neuromag's: x to the right ear, y to the nasion, z up, the origin between the ears.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from mne.channels import compute_native_head_t, make_dig_montage
from mne.transforms import get_ras_to_neuromag_trans
from numpy.typing import NDArray

from preprocessing.readers.heads.size import holds_origin, sphere_of

# Of BIDS's frames, by the orientation of their axes (specification, appendix "Coordinate systems"). Those of templates and scanners, whose
# names begin so, run to the right, front and top, too.
_BETWEEN_EARS = {
    "ALS": ("ctf", "4dbti", "kityokogawa", "eeglab", "eeglabhj"),
    "RAS": ("captrak", "elektaneuromag", "neuromagelektaitab", "chietiitab"),
}
_TEMPLATES = ("mni", "icbm", "ixi549", "fsaverage", "fslr", "nihpd", "oasis30", "talairach", "uncinfant")
_SCANNERS = ("scanras", "acpc", "individual", "scanner", "t1w")
# Where the middle of a head is, m: of the sphere that fits the 10-05 electrodes on the template Colin 27.
_MIDDLE_M = np.array([0.0, 0.015, 0.04])
_DIRECTIONS = {"R": (1, 0, 0), "L": (-1, 0, 0), "A": (0, 1, 0), "P": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}


class Turned(NamedTuple):
    """How coordinates become those of the head: a matrix of shape (4, 4), m, and a sentence that the run should say, if any."""

    to_head: NDArray[np.float64]
    note: str = ""


def by_landmarks(landmarks_m: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Matrix, shape (4, 4), to the head whose axes run through nasion, lpa and rpa, shape (3,) each."""
    return np.asarray(get_ras_to_neuromag_trans(landmarks_m["nasion"], landmarks_m["lpa"], landmarks_m["rpa"]))


def by_name(frame: str, description: str, places_m: NDArray[np.float64]) -> Turned | None:
    """Turn the axes of a named frame; None where nobody knows which way they run.

    Parameters
    ----------
    frame, description : str
        As coordsystem.json has them; one of no known name may say 'RAS' or alike in either.
    places_m : float64 array, shape (n, 3), n > 0
        In that frame.
    """
    name = re.sub(r"[^a-z0-9]", "", frame.casefold())
    if name.startswith(_TEMPLATES):
        # The template's origin is within the brain; MNE knows where its landmarks are.
        montage = make_dig_montage({"origin": np.zeros(3)}, coord_frame="mni_tal")
        montage.add_mni_fiducials()
        return Turned(compute_native_head_t(montage)["trans"], f"electrodes lie in '{frame}' coordinates: the head is the template's")
    orientation = next((axes for axes, names in _BETWEEN_EARS.items() if name in names), None)
    if orientation and holds_origin(places_m):
        return Turned(affine(to_ras(orientation)))
    orientation = orientation or ("RAS" if name in _SCANNERS else _orientation_in(f"{frame} {description}"))
    if orientation is None:
        return None
    turn = to_ras(orientation)
    shift_m = _MIDDLE_M - turn @ _middle_of(places_m)
    note = f"electrodes lie in '{frame}' coordinates without landmarks: their middle is taken as the head's, places may be off by 1 cm"
    return Turned(affine(turn, shift_m), note)


def to_ras(orientation: str) -> NDArray[np.float64]:
    """Matrix, shape (3, 3), that turns coordinates whose axes run as letters say ('ALS': front, left, up) to right, front and up."""
    return np.array([_DIRECTIONS[letter] for letter in orientation], dtype=np.float64).T


def _orientation_in(text: str) -> str | None:
    """Find the letters that say which way axes run; None where there are none, or several."""
    found = {word for word in re.findall(r"\b[RLAPSI]{3}\b", text) if abs(np.linalg.det(to_ras(word))) == 1}
    return found.pop() if len(found) == 1 else None


def _middle_of(places_m: NDArray[np.float64]) -> NDArray[np.float64]:
    centre_m, radius_m = sphere_of(places_m)
    # Through few places, or places nearly in a plane, the sphere is any.
    return centre_m if 0.05 <= radius_m <= 0.15 else places_m.mean(axis=0)


def affine(turn: NDArray[np.float64], shift_m: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Matrix, shape (4, 4), that turns, then shifts."""
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    if shift_m is not None:
        matrix[:3, 3] = shift_m
    return matrix
