"""The template head: fsaverage's scalp and landmarks as MNE bundles them, its cortex as nilearn does."""

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import mne
import numpy as np
from mne.transforms import apply_trans
from nibabel.gifti import GiftiImage
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.physics.geometry import Dipoles, farthest_points, vertex_normals
from crossmodal.physics.medial_wall import medial_wall

_MNE_TEMPLATE = Path(mne.__file__).parent / "data" / "fsaverage"
HEMISPHERES = ("left", "right")
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


@dataclass(frozen=True)
class SurfaceMesh:
    """One hemisphere of fsaverage5's white surface, in fsaverage's surface coordinates.

    Attributes
    ----------
    vertices_m : ndarray, shape (10242, 3)
    triangles : int array, shape (20480, 3)
        Vertex numbers.
    thickness_m : ndarray, shape (10242,)
        Of the cortex at each vertex.
    flat_triangles : int array, shape (n, 3)
        Those that fsaverage's flat map keeps, which leaves out the medial wall.
    """

    vertices_m: NDArray[np.float64]
    triangles: NDArray[np.integer]
    thickness_m: NDArray[np.float64]
    flat_triangles: NDArray[np.integer]


@functools.cache
def template_surface(side: str) -> SurfaceMesh:
    """Read the 'left' or 'right' hemisphere as nilearn bundles it."""
    vertices, triangles = _read_gifti(f"white_{side}")
    thickness = _read_gifti(f"thick_{side}")
    _, flat_triangles = _read_gifti(f"flat_{side}")
    return SurfaceMesh(vertices.astype(np.float64) * _MILLIMETRE, triangles, thickness * _MILLIMETRE, flat_triangles)


def surface_m(side: str, surface: Literal["white", "middle"]) -> NDArray[np.float64]:
    """Vertices (10242, 3) of a hemisphere's white surface, or midway between that and the pial one, in fsaverage's coordinates."""
    white_m = template_surface(side).vertices_m
    if surface == "white":
        return white_m
    pial, _ = _read_gifti(f"pial_{side}")
    return (white_m + pial.astype(np.float64) * _MILLIMETRE) / 2


@functools.cache
def template_cortex(n_dipoles: int, wall: Literal["thickness", "label"] = "thickness") -> Dipoles:
    """Spread dipoles evenly over the white surface of fsaverage5, along its outward normals, without the medial wall.

    Parameters
    ----------
    n_dipoles : int
    wall : 'thickness' or 'label'
        'label' leaves out the whole wall (`medial_wall`), and 'thickness' only the quarter of it where the bundled cortical thickness is
        zero: simulated cohorts follow from the latter, and stay as they are.

    Raises
    ------
    UserError
        There are fewer vertices.
    """
    positions, normals = [], []
    for side in HEMISPHERES:
        mesh = template_surface(side)
        cortical = ~medial_wall(side) if wall == "label" else mesh.thickness_m > 0
        positions.append(mesh.vertices_m[cortical])
        normals.append(vertex_normals(mesh.vertices_m, mesh.triangles)[cortical])
    mri_to_head = np.linalg.inv(template_head().head_to_mri)
    positions_m = apply_trans(mri_to_head, np.concatenate(positions))
    orientations = apply_trans(mri_to_head, np.concatenate(normals), move=False)
    if n_dipoles > len(positions_m):
        raise UserError(f"n_dipoles: the template cortex has {len(positions_m)} vertices, fewer than {n_dipoles}")
    chosen = farthest_points(positions_m, n_dipoles)
    return Dipoles(positions_m[chosen], orientations[chosen])


def _read_gifti(name: str) -> Any:
    return GiftiImage.from_filename(_nilearn_template() / f"{name}.gii.gz").agg_data()


def _nilearn_template() -> Path:
    """Folder of the surfaces bundled with nilearn, found without importing it: that takes seconds in every process."""
    package = importlib.util.find_spec("nilearn")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "datasets" / "data" / "fsaverage5"
