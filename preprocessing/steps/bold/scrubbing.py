"""Mask volumes during which the head moved; targets are never interpolated."""

import numpy as np
from numpy.typing import NDArray

from crossmodal.config.bold import Bold

VERSION = 2

# Rotations become displacements on a sphere of this radius, about the distance from the cortex to the centre of the head.
_HEAD_RADIUS_MM = 50.0


def framewise_displacement(motion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum how far the head moved since the volume before.

    Parameters
    ----------
    motion : float64 array, shape (n_volumes, 6)
        Three translations, mm, and three rotations, rad.

    Returns
    -------
    float64 array, shape (n_volumes,)
        mm; 0 for the first volume.

    Notes
    -----
    Source: Power et al. (2012), NeuroImage 59:2142-2154, rotations on a sphere of 50 mm.
    """
    moved = np.abs(np.diff(motion, axis=0)) * [1.0, 1.0, 1.0, *[_HEAD_RADIUS_MM] * 3]
    return np.concatenate([[0.0], moved.sum(axis=1)])


def dvars(data_vs: NDArray[np.floating]) -> NDArray[np.float64]:
    """Rms over voxels of the change since the volume before.

    Parameters
    ----------
    data_vs : array, shape (n_volumes, n_voxels)
        Voxels of the brain.

    Returns
    -------
    float64 array, shape (n_volumes,)
        In the data's unit; 0 for the first volume.

    Notes
    -----
    Source: Smyser et al. (2010), as defined by Power et al. (2012), NeuroImage 59:2142-2154, without scaling.
    """
    # Volume by volume, since an image in float64 would be the largest thing in memory.
    changes = (data_vs[index + 1].astype(np.float64) - data_vs[index] for index in range(len(data_vs) - 1))
    return np.array([0.0, *(np.sqrt(np.mean(change_s**2)) for change_s in changes)])


def good_volumes(data_vs: NDArray[np.floating], motion: NDArray[np.float64] | None, settings: Bold) -> tuple[NDArray[np.bool_], list[str]]:
    """Mark volumes at which the head lay still.

    Parameters
    ----------
    data_vs : array, shape (n_volumes, n_voxels)
        Voxels of the brain.
    motion : float64 array, shape (n_volumes, 6), optional
        As for `framewise_displacement`; without it only DVARS judges.
    settings : Bold
        The thresholds. That of DVARS is the rule of a box plot, as in FSL's fsl_motion_outliers.

    Returns
    -------
    good : bool array, shape (n_volumes,)
    notes : list of str
        Sentences that the run should say.
    """
    good = np.ones(len(data_vs), dtype=bool)
    notes = []
    if settings.fd_mm is not None and motion is not None:
        good &= framewise_displacement(motion) <= settings.fd_mm
    elif settings.fd_mm is not None:
        notes.append("has no motion parameters (recordings.motion), so only DVARS tells when the head moved")
    if settings.dvars_iqr is not None and len(data_vs) > 2:
        change = dvars(data_vs)
        first, third = np.quantile(change[1:], (0.25, 0.75))
        is_far = change > third + settings.dvars_iqr * (third - first)
        # Before the first volume there is no change: where its magnetisation was not yet steady, only the one after it tells.
        is_far[0] = is_far[1] and not is_far[2]
        good &= ~is_far
    if not good.all():
        notes.append(f"masked {int((~good).sum())} of {len(good)} volumes for motion")
    return good, notes
