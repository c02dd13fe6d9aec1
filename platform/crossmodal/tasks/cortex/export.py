"""What `predict` writes of a recording: the activity of cortical regions, painted on the template's surface."""

from pathlib import Path

import mne
import numpy as np
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.physics.cortical_regions import cortical_regions
from crossmodal.storage.atomic import new_files

_SUBJECT = "fsaverage5"
_HEMISPHERES = ("lh", "rh")
# MNE holds an estimate in memory several times while it is written.
_LARGEST_BYTES = 2e9


def source_estimate(moment_rt: NDArray[np.floating], sfreq: float, tmin_s: float = 0.0) -> mne.SourceEstimate:
    """Paint regions on fsaverage5: each vertex of a region holds the moment of the whole region.

    Parameters
    ----------
    moment_rt : ndarray, shape (n_regions, n_times)
        A m, positive out of the cortex.
    sfreq : float
        Hz.
    tmin_s : float
        Time of the first sample, s.

    Raises
    ------
    UserError
        It is too long for a surface of 19,000 vertices.
    """
    regions = cortical_regions()
    region_v = regions.regions_of_vertices
    n_bytes, n_times = len(region_v) * moment_rt.shape[1] * 4, moment_rt.shape[1]
    if n_bytes > _LARGEST_BYTES:
        raise UserError(
            f"{n_times / sfreq:.0f} s of cortical activity at {sfreq:g} Hz are {n_bytes / 1e9:.1f} GB as STC; predict from a part of the"
            f" recording, at most {_LARGEST_BYTES / n_bytes * n_times / sfreq:.0f} s"
        )
    values_vt = moment_rt.astype(np.float32)[region_v]
    return mne.SourceEstimate(values_vt, regions.vertices, tmin=tmin_s, tstep=1 / sfreq, subject=_SUBJECT, verbose="error")


def save_whole(estimate: mne.SourceEstimate, output: Path) -> None:
    """Write both hemispheres, or nothing.

    Parameters
    ----------
    output : Path
        `mne.read_source_estimate` opens it under this name; the files' names end with -lh.stc and -rh.stc.

    Raises
    ------
    UserError
        One of the files exists already, or there is no room.
    """
    files = [output.with_name(f"{output.name}-{hemisphere}.stc") for hemisphere in _HEMISPHERES]
    with new_files(files[0]) as aside:
        estimate.save(aside / output.name, ftype="stc", verbose="error")
