"""The template head: fsaverage's scalp and landmarks as MNE bundles them, its cortex as nilearn does."""

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import mne
import numpy as np
from mne.transforms import apply_trans
from nibabel.gifti import GiftiImage
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.physics.geometry import Dipoles, farthest_points, vertex_normals

_MNE_TEMPLATE = Path(mne.__file__).parent / "data" / "fsaverage"
_MILLIMETRE = 1e-3


@dataclass(frozen=True)
class TemplateHead:
    """Scalp and landmarks in head coordinates, m; `head_to_mri` (4, 4) leads to fsaverage's surface coordinates."""

    scalp_m: NDArray[np.float64]
    scalp_normals: NDArray[np.float64]
    nasion_m: NDArray[np.float64]
    lpa_m: NDArray[np.float64]
    rpa_m: NDArray[np.float64]
    head_to_mri: NDArray[np.float64]


@functools.cache
def template_head() -> TemplateHead:
    """Read the template's scalp, fiducials and head coordinates from MNE."""
    head_to_mri = mne.read_trans(_MNE_TEMPLATE / "fsaverage-trans.fif", verbose=False)["trans"]
    mri_to_head = np.linalg.inv(head_to_mri)
    scalp = mne.read_bem_surfaces(_MNE_TEMPLATE / "fsaverage-head.fif", verbose=False)[0]
    points, _ = mne.io.read_fiducials(_MNE_TEMPLATE / "fsaverage-fiducials.fif", verbose=False)
    lpa_m, nasion_m, rpa_m = (apply_trans(mri_to_head, point["r"]) for point in sorted(points, key=lambda point: point["ident"]))
    scalp_m = apply_trans(mri_to_head, scalp["rr"].astype(np.float64))
    return TemplateHead(scalp_m, vertex_normals(scalp_m, scalp["tris"]), nasion_m, lpa_m, rpa_m, head_to_mri)


@functools.cache
def template_cortex(n_dipoles: int) -> Dipoles:
    """Spread dipoles evenly over the white surface of fsaverage5, along its outward normals, without the medial wall.

    The surface is nilearn's bundled one; where its cortical thickness is zero lies the medial wall.
    """
    positions, normals = [], []
    for side in ("left", "right"):
        vertices, triangles = GiftiImage.from_filename(_nilearn_template() / f"white_{side}.gii.gz").agg_data()
        cortical = GiftiImage.from_filename(_nilearn_template() / f"thick_{side}.gii.gz").agg_data() > 0
        vertices_m = vertices.astype(np.float64) * _MILLIMETRE
        positions.append(vertices_m[cortical])
        normals.append(vertex_normals(vertices_m, triangles)[cortical])
    mri_to_head = np.linalg.inv(template_head().head_to_mri)
    positions_m = apply_trans(mri_to_head, np.concatenate(positions))
    orientations = apply_trans(mri_to_head, np.concatenate(normals), move=False)
    if n_dipoles > len(positions_m):
        raise UserError(f"n_dipoles: the template cortex has {len(positions_m)} vertices, fewer than {n_dipoles}")
    chosen = farthest_points(positions_m, n_dipoles)
    return Dipoles(positions_m[chosen], orientations[chosen])


def _nilearn_template() -> Path:
    """Folder of the surfaces bundled with nilearn, found without importing it: that takes seconds in every process."""
    package = importlib.util.find_spec("nilearn")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "datasets" / "data" / "fsaverage5"
