"""What `predict` writes of a recording: the activity of cortical regions, painted on the template's surface."""

from pathlib import Path

import mne
import numpy as np
from nibabel.gifti import GiftiDataArray, GiftiImage, GiftiMetaData
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.physics.cortical_regions import CorticalRegions
from crossmodal.storage.atomic import new_files

_SUBJECT = "fsaverage5"
# Of a hemisphere.
_N_VERTICES = 10242
_HEMISPHERES = ("lh", "rh")
_STRUCTURES = ("CortexLeft", "CortexRight")
# MNE holds an estimate in memory several times while it is written.
_LARGEST_BYTES = 2e9


def source_estimate(moment_rt: NDArray[np.floating], regions: CorticalRegions, sfreq: float, tmin_s: float = 0.0) -> mne.SourceEstimate:
    """Paint regions on fsaverage5: each vertex of a region holds the moment of the whole region.

    Parameters
    ----------
    moment_rt : ndarray, shape (n_regions, n_times)
        A m, positive out of the cortex.
    regions : CorticalRegions
    sfreq : float
        Hz.
    tmin_s : float
        Time of the first sample, s.

    Raises
    ------
    UserError
        It is too long for a surface of 19,000 vertices.
    """
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
    """Write both hemispheres as STC and as GIFTI, or nothing.

    Parameters
    ----------
    estimate : mne.SourceEstimate
        As `source_estimate` gives it.
    output : Path
        `mne.read_source_estimate` opens it under this name; the files' names end with -lh.stc and -rh.stc, and for viewers without MNE
        with -lh.func.gii and -rh.func.gii.

    Raises
    ------
    UserError
        One of the files exists already, or there is no room.
    """
    first = output.with_name(f"{output.name}-{_HEMISPHERES[0]}.stc")
    with new_files(first) as aside:
        estimate.save(aside / output.name, ftype="stc", verbose="error")
        for hemisphere, structure, vertices, data_vt in zip(
            _HEMISPHERES, _STRUCTURES, estimate.vertices, (estimate.lh_data, estimate.rh_data), strict=True
        ):
            image = _surface_maps(data_vt, vertices, estimate.times, structure)
            image.to_filename(aside / f"{output.name}-{hemisphere}.func.gii")


def _surface_maps(data_vt: NDArray[np.float32], vertices: NDArray[np.int64], times_s: NDArray[np.float64], structure: str) -> GiftiImage:
    """Lay the values of the vertices in regions on all of a hemisphere, a map a time; the medial wall is zero.

    Parameters
    ----------
    data_vt : ndarray, shape (n_cortical, n_times)
    vertices : int array, shape (n_cortical,)
        Their numbers in the hemisphere.
    times_s : ndarray, shape (n_times,)
    structure : str
        As GIFTI names a hemisphere.
    """
    image = GiftiImage(meta=GiftiMetaData({"AnatomicalStructurePrimary": structure}))
    for time_s, data_v in zip(times_s, data_vt.T, strict=True):
        values_v = np.zeros(_N_VERTICES, dtype=np.float32)
        values_v[vertices] = data_v
        told = GiftiMetaData({"Name": f"{time_s:.3f} s, A m"})
        image.add_gifti_data_array(GiftiDataArray(values_v, intent="NIFTI_INTENT_TIME_SERIES", datatype="float32", meta=told))
    return image
