"""Spheres of triangles, each grade with four times as many as the one before; fsaverage5's vertices are those of grade 5."""

import functools
from pathlib import Path

import mne
import numpy as np
from numpy.typing import NDArray

_MNE_DATA = Path(mne.__file__).parent / "data"
# FreeSurfer's average subject, by how many vertices a hemisphere has: spheres of grade 5, 6 and 7, each with those of the one before first.
AVERAGE_SUBJECTS = {10242: "fsaverage5", 40962: "fsaverage6", 163842: "fsaverage"}
# Identity of the coarsest one in the file.
_FIRST_ID = 9000


@functools.cache
def icosphere(grade: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Give the unit sphere of a grade, 0 to 7.

    Returns
    -------
    vertices : ndarray, shape (10 * 4**grade + 2, 3)
    triangles : int array, shape (20 * 4**grade, 3)
    """
    surfaces = mne.read_bem_surfaces(_MNE_DATA / "icos.fif.gz", verbose=False)
    sphere = next(surface for surface in surfaces if surface["id"] == _FIRST_ID + grade)
    return sphere["rr"].astype(np.float64), sphere["tris"].astype(np.int32)
