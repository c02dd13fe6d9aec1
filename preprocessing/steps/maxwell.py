"""Maxwell filtering of raw MEG: keep fields from inside the helmet, mend bad sensors, and move heads to one place.

EEG takes no part in it, so that nothing passes from one modality to the other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mne
from mne.io import BaseRaw
from mne.preprocessing import find_bad_channels_maxwell, maxwell_filter

from crossmodal.config import UserError
from crossmodal.config.cleaning import Maxwell
from preprocessing.signals.broken import cause_of

VERSION = 1

_USUAL_CENTRE_M = (0.0, 0.0, 0.04)


@dataclass(frozen=True)
class Calibration:
    """Files of the MEG system that made a recording, on this machine."""

    fine: Path | None = None
    crosstalk: Path | None = None


def noisy_channels(raw: BaseRaw, calibration: Calibration, called: str) -> dict[str, str]:
    """Find sensors that disagree with what a field could be; one of them would spread into all others.

    Raises
    ------
    UserError
        The recording was MaxFiltered already.

    Parameters
    ----------
    raw : BaseRaw
        Loaded; channels marked bad have no say.
    calibration : Calibration
        Of the MEG system.
    called : str
        What sentences call the recording.
    """
    if any(record.get("max_info", {}).get("sss_info") for record in raw.info["proc_history"]):
        raise UserError(f"{called}: was MaxFiltered already; leave preprocessing.maxwell out")
    with _told(called):
        noisy, flat = find_bad_channels_maxwell(raw, **_system(raw, calibration), verbose="error")
    return {str(name): "noisy" for name in noisy} | {str(name): "flat" for name in flat}


def separate_fields(raw: BaseRaw, settings: Maxwell, calibration: Calibration, called: str) -> BaseRaw:
    """Return the recording with its MEG filtered and its bad MEG channels reconstructed, which are bad no longer.

    Parameters
    ----------
    raw : BaseRaw
        Loaded, at its full band: nothing was filtered or mended yet.
    settings : Maxwell
        How long the temporal extension looks, and where heads are moved to.
    calibration : Calibration
        Of the MEG system.
    called : str
        What sentences call the recording.

    Raises
    ------
    UserError
        It has no head position to be moved from, or not enough sensors.

    Notes
    -----
    Source: Taulu and Kajola (2005), J. Appl. Phys. 97:124905; its temporal extension Taulu and Simola (2006), Phys. Med. Biol. 51:1759.
    """
    if settings.destination_m and raw.info["dev_head_t"] is None:
        raise UserError(f"{called}: has no head position to be moved from; leave preprocessing.maxwell.destination_m out")
    with _told(called):
        return maxwell_filter(
            raw, st_duration=settings.st_duration_s, destination=settings.destination_m, **_system(raw, calibration), verbose="error"
        )


def _system(raw: BaseRaw, calibration: Calibration) -> dict[str, Any]:
    files = {"calibration": calibration.fine, "cross_talk": calibration.crosstalk}
    if raw.info["dev_head_t"] is None:
        return files | {"coord_frame": "meg", "origin": (0.0, 0.0, 0.0)}
    return files | {"origin": _head_centre_m(raw.info)}


def _head_centre_m(info: mne.Info) -> tuple[float, ...]:
    try:
        return tuple(mne.bem.fit_sphere_to_headshape(info, verbose="error")[1])
    except (ValueError, RuntimeError):
        # Too few points of the head were digitised.
        return _USUAL_CENTRE_M


@contextmanager
def _told(called: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        cause = cause_of(error)
        raise UserError(f"{called}: cannot be Maxwell filtered ({cause}); correct preprocessing.maxwell, or leave it out") from error
