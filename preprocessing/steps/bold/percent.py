"""Bring BOLD to per cent: a scanner's gain, and with it the unit of an image, is another one in every scan."""

import numpy as np
from nibabel.spatialimages import SpatialImage
from numpy.typing import NDArray

from crossmodal.config import UserError

VERSION = 1


def grand_mean(
    image: SpatialImage, mean_volume: NDArray[np.floating], brain: NDArray[np.bool_], good: NDArray[np.bool_], called: str
) -> float:
    """Average a scan over the voxels of its brain and over its good volumes, or over all volumes where none is good.

    Parameters
    ----------
    image : SpatialImage
        A series of volumes.
    mean_volume : array, shape (X, Y, Z)
        Its mean over those volumes, as `targets.mean_volume` gives it.
    brain : bool array, shape (X, Y, Z)
    good : bool array, shape (n_volumes,)
    called : str
        What sentences call the recording.

    Raises
    ------
    UserError
        The mean is no higher than what changes from volume to volume, as where the mean of each voxel was taken off.

    Notes
    -----
    Source: grand mean scaling of SPM (spm_fmri_spm_ui), which takes the voxels above an eighth of the mean for the brain.
    """
    mean = float(mean_volume[brain].mean(dtype=np.float64))
    a_good_one = int(np.argmax(good))
    change = float((np.asarray(image.dataobj)[..., a_good_one] - mean_volume)[brain].std(dtype=np.float64))
    if mean <= change:
        raise UserError(
            f"{called}: the mean of the brain, {mean:.3g}, is no higher than its changes from volume to volume, {change:.3g}, so nobody can"
            " tell per cent of it; give an image whose mean was not taken off, as fMRIPrep's preproc_bold"
        )
    return mean


def of_grand_mean(data_vs: NDArray[np.float32], mean: float) -> NDArray[np.float32]:
    """Bring values to per cent of a scan's grand mean: one number a scan, so that anatomy stays.

    Parameters
    ----------
    data_vs : float32 array, shape (n_volumes, n_targets)
    mean : float
        As `grand_mean` gives it.
    """
    return data_vs * np.float32(100 / mean)


def changes(
    data_vs: NDArray[np.float32], good: NDArray[np.bool_], names: tuple[str, ...], called: str, mean: float | None = None
) -> NDArray[np.float32]:
    """Bring targets to their changes about their own mean, per cent.

    Parameters
    ----------
    data_vs : float32 array, shape (n_volumes, n_targets)
    good : bool array, shape (n_volumes,)
        Volumes that the mean of each target is over; all, where none is good.
    names : tuple of str
        Of the targets.
    called : str
        What sentences call the recording.
    mean : float, optional
        Of which changes are per cent; None takes each target's own mean.

    Raises
    ------
    UserError
        A target's own mean is not above zero; the sentence names it.

    Notes
    -----
    Source: Chen, Taylor & Cox (2017), Is the statistic value all we need in neuroimaging?, NeuroImage 159:952-959, who bring each voxel
    to per cent of its own mean, as AFNI does.
    """
    mean_s = data_vs[good if good.any() else ~good].mean(axis=0, dtype=np.float64)
    if mean is None and not (mean_s > 0).all():
        name = names[int(np.argmin(mean_s))]
        raise UserError(f"{called}: region {name} has a mean of {mean_s.min():.3g}, so nobody can tell per cent of it; leave it out")
    return (100 * (data_vs - mean_s) / (mean_s if mean is None else mean)).astype(np.float32)
