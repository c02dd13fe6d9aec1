"""Check the places that a recording itself holds: its electrodes and digitised points lie on a head, its fiducials on MNE's axes."""

import numpy as np
from mne.io import BaseRaw
from mne.io.constants import FIFF

from crossmodal.config import UserError
from preprocessing.readers.heads.names import misplaced
from preprocessing.readers.heads.size import fits_head, misfit

# How far the nasion and ears are from the origin, newborns' among them, and how far off the axes that they define.
_NEAREST_M, _FARTHEST_M, _OFF_AXIS_M = 0.03, 0.15, 0.01


def check_points(raw: BaseRaw, called: str) -> tuple[str, ...]:
    """Refuse electrodes and digitised points in another unit than metres; take off fiducials, in place, that are not in MNE's head frame.

    Returns
    -------
    tuple of str
        Sentences that the run should say.

    Raises
    ------
    UserError
        Electrodes or digitised points lie on no head, and the sentence names the unit in which they would; or no turn leads from the
        sensors to the head.
    """
    head = raw.info["dev_head_t"]
    turn = np.eye(3) if head is None else head["trans"][:3, :3]
    # A damaged file holds any numbers.
    if not np.allclose(turn @ turn.T, np.eye(3), atol=0.01):
        raise UserError(f"{called}: where the head was in the dewar is given by no turn and shift; replace the file or leave it out")
    kinds = raw.get_channel_types()
    places_m = {
        channel["ch_name"]: channel["loc"][:3].astype(np.float64)
        for channel, kind in zip(raw.info["chs"], kinds, strict=True)
        if kind == "eeg" and np.isfinite(channel["loc"][:3]).all() and channel["loc"][:3].any()
    }
    _check_size(np.array(list(places_m.values())).reshape(-1, 3), "electrodes", called)
    points = [point for point in raw.info["dig"] or () if point["coord_frame"] == FIFF.FIFFV_COORD_HEAD]
    shape_m = np.array([point["r"] for point in points if point["kind"] == FIFF.FIFFV_POINT_EXTRA], dtype=np.float64).reshape(-1, 3)
    _check_size(shape_m, "digitised points", called)
    told = misplaced(places_m)
    notes = [f"{told}: their axes are those of the recording, which may be wrong"] * bool(told)
    fiducials_m = {point["ident"]: point["r"].astype(np.float64) for point in points if point["kind"] == FIFF.FIFFV_POINT_CARDINAL}
    if fiducials_m and not _are_on_axes(fiducials_m):
        with raw.info._unlock():
            raw.info["dig"] = [point for point in raw.info["dig"] if point["kind"] != FIFF.FIFFV_POINT_CARDINAL]
        # MNE makes some up where electrodes have no places, at the origin.
        if any(place_m.any() for place_m in fiducials_m.values()):
            notes.append("its nasion and ears are not in metres on the axes of MNE's head frame, and are left out")
    return tuple(notes)


def _check_size(places_m: np.ndarray, what: str, called: str) -> None:
    if not fits_head(places_m):
        raise UserError(f"{called}: its {what} {misfit(places_m, 'm')}; write their positions anew, or leave the recording out")


def _are_on_axes(fiducials_m: dict[int, np.ndarray]) -> bool:
    """Tell whether the ears are on x, left below zero, and the nasion is on y, as many of them as there are."""
    axes = {FIFF.FIFFV_POINT_LPA: (-1, 0, 0), FIFF.FIFFV_POINT_RPA: (1, 0, 0), FIFF.FIFFV_POINT_NASION: (0, 1, 0)}

    def is_on_axis(place_m: np.ndarray, axis: np.ndarray) -> bool:
        along_m = float(place_m @ axis)
        return _NEAREST_M < along_m < _FARTHEST_M and float(np.linalg.norm(place_m - along_m * axis)) < _OFF_AXIS_M

    return all(is_on_axis(place_m, np.array(axes[ident], dtype=np.float64)) for ident, place_m in fiducials_m.items())
