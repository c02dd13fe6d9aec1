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
from crossmodal.physics.head import HeadModel, Skull
from crossmodal.physics.icosphere import icosphere

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
    centre_m, inner_skull_m = _inner_skull()
    head_to_mri = Transform("head", "mri", template_head().head_to_mri)
    eeg = _solve(_layers(centre_m, inner_skull_m, thickness=1.0), _CONDUCTIVITY_S_PER_M)
    directions, triangles = icosphere(_MEG_GRADE)
    inner = _radius(inner_skull_m - centre_m, directions)
    meg = _solve({"inner_skull": (centre_m + inner[:, None] * directions, triangles)}, _CONDUCTIVITY_S_PER_M)
    mri_to_head = np.linalg.inv(head_to_mri["trans"])
    return HeadModel(eeg, meg, head_to_mri, apply_trans(mri_to_head, centre_m), apply_trans(mri_to_head, inner_skull_m))


def boundary_elements(skull: Skull, axes_3: NDArray[np.float64]) -> HeadModel:
    """Solve the template head with another skull, enlarged along each axis of head coordinates: three layers for EEG and MEG alike."""
    centre_m, inner_skull_m = _inner_skull()
    mri_to_head = np.linalg.inv(template_head().head_to_mri)

    def in_head(points_m: NDArray[np.float64]) -> NDArray[np.float64]:
        scaled: NDArray[np.float64] = apply_trans(mri_to_head, points_m) * axes_3
        return scaled

    layers = {
        name: (in_head(vertices_m), triangles)
        for name, (vertices_m, triangles) in _layers(centre_m, inner_skull_m, skull.thickness).items()
    }
    conductor = _solve(layers, _CONDUCTIVITY_S_PER_M | {"outer_skull": _CONDUCTIVITY_S_PER_M["inner_skull"] / skull.conductivity_ratio})
    return HeadModel(conductor, conductor, Transform("head", "mri"), in_head(centre_m), in_head(inner_skull_m))


def _inner_skull() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Middle (3,) and vertices (n, 3) of the template's inner skull, fsaverage's coordinates."""
    inner_skull = mne.read_bem_surfaces(_MNE_DATA / "fsaverage" / "fsaverage-inner_skull-bem.fif", verbose=False)[0]
    inner_skull_m = inner_skull["rr"].astype(np.float64)
    return (inner_skull_m.min(axis=0) + inner_skull_m.max(axis=0)) / 2, inner_skull_m


def _layers(
    centre_m: NDArray[np.float64], inner_skull_m: NDArray[np.float64], thickness: float
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.int32]]]:
    """Inner skull, outer skull and skin of the template, innermost first; thickness is that of the skull, relative to the usual one."""
    scalp_m = apply_trans(template_head().head_to_mri, template_head().scalp_m)
    directions, triangles = icosphere(_EEG_GRADE)
    inner = _radius(inner_skull_m - centre_m, directions)
    outer_skin = np.maximum(_radius(scalp_m - centre_m, directions), inner + _SKULL_THICKNESS_M[0] + _THINNEST_SCALP_M)
    skull = np.clip(thickness * _SKULL_SHARE * (outer_skin - inner), *_SKULL_THICKNESS_M)
    radii = {"inner_skull": inner, "outer_skull": inner + skull, "outer_skin": outer_skin}
    return {name: (centre_m + radius[:, None] * directions, triangles) for name, radius in radii.items()}


def _radius(surface_m: NDArray[np.float64], directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of a star-shaped surface (n, 3) from the origin along unit directions (m, 3)."""
    radius_m = np.linalg.norm(surface_m, axis=1)
    distance, nearest = cKDTree(surface_m / radius_m[:, None]).query(directions, k=_NEIGHBOURS)
    weights = 1 / (distance + 1e-6)
    return (weights * radius_m[nearest]).sum(axis=1) / weights.sum(axis=1)


def _solve(surfaces_m: dict[str, tuple[NDArray[np.float64], NDArray[np.int32]]], conductivity_s_per_m: dict[str, float]) -> ConductorModel:
    """Solve nested surfaces, innermost first, in their own coordinates. MNE takes them from a FreeSurfer folder."""
    with TemporaryDirectory() as folder:
        surface_folder = Path(folder) / "template" / "bem"
        surface_folder.mkdir(parents=True)
        for name, (vertices_m, triangles) in surfaces_m.items():
            mne.write_surface(surface_folder / f"{name}.surf", vertices_m * _FREESURFER_UNITS_PER_M, triangles, verbose=False)
        conductivity = [conductivity_s_per_m[name] for name in surfaces_m]
        model = mne.make_bem_model("template", ico=None, conductivity=conductivity, subjects_dir=folder, verbose=False)
        return mne.make_bem_solution(model, verbose=False)
