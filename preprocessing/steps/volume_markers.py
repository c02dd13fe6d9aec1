"""Find when each volume was acquired on the EEG's clock, from the markers that the scanner wrote into the EEG.

Nothing is counted from the EEG's first sample: an EEG is often switched on minutes before the scanner. In NODDI the first volume of
sub-35 comes 129.6 s after it.
"""

import numpy as np
from numpy.typing import NDArray

from crossmodal.config import UserError

VERSION = 1

# Clocks of EEG and scanner that are not synchronised drift by far less than this share of a repetition time.
_TOLERANCE = 0.01


def pair_volumes(
    marker_s: NDArray[np.float64], n_volumes: int, tr_s: float, duration_s: float, dummy_volumes: int | None, called: str
) -> NDArray[np.float64]:
    """Give each volume the time of its marker.

    Parameters
    ----------
    marker_s : float64 array, shape (n_markers,)
        Onsets of volume markers, s from the EEG's first sample, in order.
    n_volumes : int
        Volumes of the image.
    tr_s : float
        Repetition time that the image or its sidecar states, s.
    duration_s : float
        Length of the EEG, s.
    dummy_volumes : int, optional
        Volumes that were marked before the image's first one, and discarded. None where there must be as many markers as volumes.
    called : str
        What sentences call the recording.

    Returns
    -------
    float64 array, shape (n_volumes,)
        Onset of each volume, s from the EEG's first sample.

    Raises
    ------
    UserError
        Markers come at another interval than the repetition time, one is missing, there are fewer than volumes, or more than can be
        told apart; the sentence names the first place and what to do.
    """
    skipped = dummy_volumes or 0
    _check_interval(marker_s, tr_s, called)
    if len(marker_s) - skipped < n_volumes:
        discarded = f" after {skipped} discarded ones" if skipped else ""
        raise UserError(
            f"{called}: the EEG ({duration_s:.1f} s) has {len(marker_s)} volume markers, the image has {n_volumes} volumes{discarded};"
            " cut the image to the volumes that were marked, or leave the recording out"
        )
    if dummy_volumes is None and len(marker_s) > n_volumes:
        extra = len(marker_s) - n_volumes
        raise UserError(
            f"{called}: the EEG has {len(marker_s)} volume markers, the image has {n_volumes} volumes; set recordings.dummy_volumes:"
            f" {extra} if the first {extra} were discarded, 0 if the last ones were"
        )
    onset_s = marker_s[skipped : skipped + n_volumes]
    _check_gaps(onset_s, tr_s, called)
    return onset_s


def _check_interval(marker_s: NDArray[np.float64], tr_s: float, called: str) -> None:
    if len(marker_s) < 2:
        return
    interval_s = float(np.median(np.diff(marker_s)))
    if abs(interval_s - tr_s) > _TOLERANCE * tr_s:
        raise UserError(
            f"{called}: volume markers come every {interval_s:.3f} s, but the image's repetition time is {tr_s:.3f} s; correct the"
            " repetition time, or name the right marker in recordings.volume_marker"
        )


def _check_gaps(onset_s: NDArray[np.float64], tr_s: float, called: str) -> None:
    interval_s = np.diff(onset_s)
    odd = np.flatnonzero(np.abs(interval_s - tr_s) > _TOLERANCE * tr_s)
    if len(odd):
        first = int(odd[0])
        what = "one is missing" if interval_s[first] > tr_s else "one is too many"
        raise UserError(
            f"{called}: volume markers {first + 1} and {first + 2} are {interval_s[first]:.3f} s apart instead of {tr_s:.3f} s, {what};"
            " mend the marker file or leave the recording out"
        )
