"""KIT/Yokogawa/Ricoh recordings: samples, and where five coils were in the dewar (markers) and on the head (digitised points)."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import mne
import numpy as np
from mne.io import BaseRaw
from mne.io.constants import FIFF
from mne.io.kit import read_mrk
from mne.io.kit.constants import KIT
from mne.transforms import apply_trans, get_ras_to_neuromag_trans
from numpy.typing import NDArray

from crossmodal.config import UserError
from preprocessing.signals.broken import translate_reading_errors

KIT_SUFFIXES = (".con", ".sqd")
# Measured before a recording, and after it.
_MOST_MARKERS = 2
# Nasion, left and right ear, and the coils.
_N_WITH_COILS = 8
# Coils are found to some millimetres: farther apart, the two sets are not of one head, or not in one unit.
_WORST_FIT_M = 0.01

_Points = NDArray[np.float64]


def holds_markers(name: str) -> bool:
    """Tell markers from points by their name."""
    path = PurePosixPath(name)
    return path.suffix.lower() == ".mrk" or path.stem.endswith("_markers")


def read_kit(path: Path, called: str, parts: Mapping[str, Path]) -> BaseRaw:
    """Open a recording, with sensors around the head as far as that is known.

    Parameters
    ----------
    path : Path
        Its samples.
    called : str
        What sentences call it.
    parts : mapping of str to Path
        Its markers and digitised points, by what sentences call them. Where one kind lacks, the head was where the recording
        itself says, or nobody knows where.

    Raises
    ------
    UserError
        A part cannot be read, there are too many, or they do not fit each other; or samples are missing.
    """
    markers = {called: _read_markers(called, part) for called, part in parts.items() if holds_markers(called)}
    points = {called: _read_points(called, part) for called, part in parts.items() if called not in markers}
    coils = {called: each for called, each in points.items() if len(each) == _N_WITH_COILS}
    shapes = {called: each for called, each in points.items() if called not in coils}
    for several, most in ((markers, _MOST_MARKERS), (coils, 1), (shapes, 1)):
        if len(several) > most:
            raise UserError(
                f"{called}: {', '.join(several)} are {len(several)} of what it can have {most} of; keep those that belong to it"
            )
    placed = {}
    if markers and coils:
        # The head's shape, which only a fitted head needs, may lack.
        placed = {"mrk": list(markers.values()), "elp": _only(coils), "hsp": _only(shapes) if shapes else np.empty((0, 3))}
    with warnings.catch_warnings():
        # That more points of the head were digitised than are kept is no news.
        warnings.filterwarnings("ignore", message="The selected head shape")
        # But of an amplifier that it does not know, whose gain it guesses, MNE only warns.
        raw = mne.io.read_raw_kit(path, **placed, verbose="warning")
    _check_complete(raw, path, called)
    if raw.info["dig"] is None:
        # MNE would take the dewar's coordinates for the head's.
        raw.info["dev_head_t"] = None
    else:
        _check_fit(raw, called)
        _place_electrodes(raw)
    return raw


def _only(points: Mapping[str, _Points]) -> _Points:
    return next(iter(points.values()))


def _read_markers(called: str, path: Path) -> _Points:
    """Coils in the dewar, shape (5, 3), m."""
    suffix = path.suffix.lower()
    with translate_reading_errors(called, "markers"), _named(path, ".sqd" if suffix == ".con" else suffix) as named:
        return np.asarray(read_mrk(named))


def _read_points(called: str, path: Path) -> _Points:
    """Digitised points, shape (n, 3), m: eight of nasion, ears and coils, or the head's shape; MNE-BIDS calls every format of them .pos."""
    with translate_reading_errors(called, "digitised points"):
        suffix = path.suffix.lower()
        if suffix not in (".elp", ".hsp"):
            text = path.read_text(errors="replace").lower()
            suffix = ".elp" if "//probe file" in text else ".hsp" if "//shape file" in text else ".txt"
        with _named(path, suffix) as named:
            if suffix == ".txt":
                return np.asarray(mne.channels.read_polhemus_fastscan(named, on_header_missing="ignore", verbose="error"))
            found = mne.channels.read_dig_polhemus_isotrak(named).get_positions()
        points_m = np.array(found["hsp"]) if suffix == ".hsp" else np.array([found["nasion"], found["lpa"], found["rpa"], *found["hpi"]])
        if (suffix == ".elp") != (len(points_m) == _N_WITH_COILS):
            raise ValueError(f"holds {len(points_m)} points, where {suffix} has nasion, ears and five coils, or else more of the head")
        return points_m


@contextmanager
def _named(path: Path, suffix: str) -> Iterator[Path]:
    """Lead to a file by a name that ends as MNE expects; what it is called at its place tells it no format."""
    with TemporaryDirectory() as folder:
        named = Path(folder) / f"{path.stem}{suffix}"
        named.symlink_to(path.resolve())
        yield named


def _check_complete(raw: BaseRaw, path: Path, called: str) -> None:
    """Refuse a file that ends before its samples do: MNE gives whatever lies in memory for the rest."""
    stored = raw._raw_extras[0]
    sample_bytes = stored["nchan"] * stored["dtype"].itemsize
    there = max(path.stat().st_size - int(stored["dirs"][KIT.DIR_INDEX_RAW_DATA]["offset"]), 0) // sample_bytes
    if there < len(raw.times):
        raise UserError(f"{called}: is truncated, it holds {there} of {len(raw.times)} samples; fetch it again or leave the recording out")


def _check_fit(raw: BaseRaw, called: str) -> None:
    """Refuse markers of another head: a rigid movement is fitted to whatever there is."""
    in_dewar_m = np.array([point["r"] for point in raw.info["hpi_results"][0]["dig_points"]])
    on_head_m = np.array([point["r"] for point in raw.info["dig"] if point["kind"] == FIFF.FIFFV_POINT_HPI])
    distance_m = float(np.sqrt(((apply_trans(raw.info["dev_head_t"], in_dewar_m) - on_head_m) ** 2).sum(axis=1).mean()))
    if not distance_m <= _WORST_FIT_M:
        raise UserError(
            f"{called}: its markers and digitised coils lie {1e3 * distance_m:.0f} mm apart at best; one of them is another head's or in"
            " another unit: replace it, or remove it to read the recording without a head position"
        )


def _place_electrodes(raw: BaseRaw) -> None:
    """Move electrodes that the file itself holds to head coordinates: MNE leaves them in those of the digitiser."""
    landmarks_m = raw._raw_extras[0].get("elp")
    if landmarks_m is None:
        return
    to_head = get_ras_to_neuromag_trans(*landmarks_m[:3])
    for channel in raw.info["chs"]:
        place_m = channel["loc"][:3]
        if channel["kind"] == FIFF.FIFFV_EEG_CH and place_m.any():
            channel["loc"][:3] = apply_trans(to_head, place_m)
            channel["coord_frame"] = FIFF.FIFFV_COORD_HEAD
