"""Boundary elements of the template head, made from what MNE bundles: three layers for EEG, the inner skull for MEG."""

from pathlib import Path
from tempfile import TemporaryDirectory

import mne
import numpy as np
from mne.bem import ConductorModel
from mne.transforms import Transform, apply_trans
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from crossmodal.physics.cortex import template_head
from crossmodal.physics.head import HeadModel

_MNE_DATA = Path(mne.__file__).parent / "data"
_CONDUCTIVITY_S_PER_M = {"inner_skull": 0.3, "outer_skull": 0.006, "outer_skin": 0.3}
# Of the distance between inner skull and skin; MNE bundles no outer skull.
_SKULL_SHARE = 0.4
_SKULL_THICKNESS_M = (0.002, 0.010)
_THINNEST_SCALP_M = 0.002
_NEIGHBOURS = 4
_EEG_GRADE, _MEG_GRADE = 3, 4
_FREESURFER_UNITS_PER_M = 1e3


def template_boundary_elements() -> HeadModel:
    """Solve the template head once (about a minute); `HeadModel.scaled` makes other sizes of it."""
    inner_skull = mne.read_bem_surfaces(_MNE_DATA / "fsaverage" / "fsaverage-inner_skull-bem.fif", verbose=False)[0]
    inner_skull_m = inner_skull["rr"].astype(np.float64)
    head_to_mri = Transform("head", "mri", template_head().head_to_mri)
    scalp_m = apply_trans(head_to_mri, template_head().scalp_m)
    centre_m = (inner_skull_m.min(axis=0) + inner_skull_m.max(axis=0)) / 2
    directions, triangles = _icosphere(_EEG_GRADE)
    inner = _radius(inner_skull_m - centre_m, directions)
    outer_skin = np.maximum(_radius(scalp_m - centre_m, directions), inner + _SKULL_THICKNESS_M[0] + _THINNEST_SCALP_M)
    thickness = np.clip(_SKULL_SHARE * (outer_skin - inner), *_SKULL_THICKNESS_M)
    radii = {"inner_skull": inner, "outer_skull": inner + thickness, "outer_skin": outer_skin}
    eeg = _solve({name: (centre_m + radius[:, None] * directions, triangles) for name, radius in radii.items()})
    directions, triangles = _icosphere(_MEG_GRADE)
    meg = _solve({"inner_skull": (centre_m + _radius(inner_skull_m - centre_m, directions)[:, None] * directions, triangles)})
    mri_to_head = np.linalg.inv(head_to_mri["trans"])
    return HeadModel(eeg, meg, head_to_mri, apply_trans(mri_to_head, centre_m), apply_trans(mri_to_head, inner_skull_m))


def _icosphere(grade: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    surfaces = mne.read_bem_surfaces(_MNE_DATA / "icos.fif.gz", verbose=False)
    sphere = next(surface for surface in surfaces if surface["id"] == 9000 + grade)
    return sphere["rr"].astype(np.float64), sphere["tris"].astype(np.int32)


def _radius(surface_m: NDArray[np.float64], directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of a star-shaped surface (n, 3) from the origin along unit directions (m, 3)."""
    radius_m = np.linalg.norm(surface_m, axis=1)
    distance, nearest = cKDTree(surface_m / radius_m[:, None]).query(directions, k=_NEIGHBOURS)
    weights = 1 / (distance + 1e-6)
    return (weights * radius_m[nearest]).sum(axis=1) / weights.sum(axis=1)


def _solve(surfaces_m: dict[str, tuple[NDArray[np.float64], NDArray[np.int32]]]) -> ConductorModel:
    """Solve nested surfaces, innermost first, in fsaverage's coordinates. MNE takes them from a FreeSurfer folder."""
    with TemporaryDirectory() as folder:
        surface_folder = Path(folder) / "template" / "bem"
        surface_folder.mkdir(parents=True)
        for name, (vertices_m, triangles) in surfaces_m.items():
            mne.write_surface(surface_folder / f"{name}.surf", vertices_m * _FREESURFER_UNITS_PER_M, triangles, verbose=False)
        conductivity = [_CONDUCTIVITY_S_PER_M[name] for name in surfaces_m]
        model = mne.make_bem_model("template", ico=None, conductivity=conductivity, subjects_dir=folder, verbose=False)
        return mne.make_bem_solution(model, verbose=False)
