"""A subject's own lead field, from a forward solution of MNE; its vertices are told by those of fsaverage5."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import mne
import nibabel as nib
import numpy as np
from mne.io.constants import FIFF
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from crossmodal.config import UserError
from crossmodal.physics.icosphere import AVERAGE_SUBJECTS, icosphere

_HEMISPHERES = (FIFF.FIFFV_MNE_SURF_LEFT_HEMI, FIFF.FIFFV_MNE_SURF_RIGHT_HEMI)
_FINEST_GRADE = 5
# Root mean square over electrodes and dipoles along the normals of a cortex; another unit is a thousand times off, or more.
_TYPICAL_V_PER_AM, _STEP = 40.0, 1000.0


@dataclass(frozen=True)
class OwnLeadField:
    """What the electrodes of one subject see of its own cortex.

    Attributes
    ----------
    called : str
        What sentences call the file.
    names : tuple of str
        Of the electrodes.
    field_cv : ndarray, shape (n_electrodes, n_vertices)
        Of dipoles along the outward normals of the cortex, V/(A m).
    electrodes_m : ndarray, shape (n_electrodes, 3)
        Head coordinates.
    vertices : tuple of two int arrays
        For each dipole of the left, then of the right hemisphere, the vertex of fsaverage5 that it answers to; several may share one.
    """

    called: str
    names: tuple[str, ...]
    field_cv: NDArray[np.float64]
    electrodes_m: NDArray[np.float64]
    vertices: tuple[NDArray[np.int64], NDArray[np.int64]]

    def of_electrodes(self, names: Sequence[str]) -> "OwnLeadField":
        """Take some electrodes, by their names.

        Raises
        ------
        UserError
            It lacks some; the sentence names them.
        """
        row_of = {name: row for row, name in enumerate(self.names)}
        missing = [name for name in names if name not in row_of]
        if missing:
            raise UserError(
                f"{self.called}: lacks {len(missing)} of the {len(names)} electrodes of the recording: {', '.join(missing[:10])};"
                " compute it for all of them, or take these out of the recording"
            )
        rows = [row_of[name] for name in names]
        return OwnLeadField(self.called, tuple(names), self.field_cv[rows], self.electrodes_m[rows], self.vertices)


def read_own_lead_field(path: Path, called: str, spheres: tuple[Path, Path] | None) -> OwnLeadField:
    """Read the EEG of a forward solution of a surface source space, with fixed or free orientations.

    Parameters
    ----------
    path : Path
    called : str
        What sentences call it.
    spheres : tuple of Path, optional
        FreeSurfer's lh.sphere.reg and rh.sphere.reg of the subject, whose vertices lie where fsaverage's do that answer to them (B. Fischl
        et al., "High-resolution intersubject averaging and a coordinate system for the cortical surface", Human Brain Mapping, 1999). A
        source space on fsaverage itself needs none.

    Raises
    ------
    UserError
        It is no forward solution, or has no EEG, no surface of both hemispheres, or another unit; or it is on the surface of a subject of
        which no spheres are given.
    """
    forward = _read(path, called)
    if [space.get("id") for space in forward["src"]] != list(_HEMISPHERES):
        raise UserError(
            f"{called}: is not of the surfaces of both hemispheres, which alone have normals; compute it with a surface source space"
        )
    fixed = mne.convert_forward_solution(forward, surf_ori=True, force_fixed=True, verbose="error")
    field_cv = np.asarray(fixed["sol"]["data"], dtype=np.float64)
    _check_unit(field_cv, called)
    place_of = {channel["ch_name"]: channel["loc"][:3] for channel in fixed["info"]["chs"]}
    names = tuple(fixed["sol"]["row_names"])
    left, right = (_in_average(space, None if spheres is None else spheres[side], called) for side, space in enumerate(forward["src"]))
    return OwnLeadField(called, names, field_cv, np.array([place_of[name] for name in names], dtype=np.float64), (left, right))


def _read(path: Path, called: str) -> mne.Forward:
    # MNE fails on a damaged file with whatever it stumbles over.
    try:
        forward = mne.read_forward_solution(path, verbose="error")
    except Exception as error:
        raise UserError(f"{called}: cannot be read as a forward solution ({error}); give a file that MNE wrote (-fwd.fif)") from error
    electrodes = [forward["info"]["ch_names"][pick] for pick in mne.pick_types(forward["info"], eeg=True, exclude=())]
    if not electrodes:
        raise UserError(f"{called}: has no EEG; compute the forward solution with eeg=True")
    return forward.pick_channels(electrodes)


def _check_unit(field_cv: NDArray[np.float64], called: str) -> None:
    size = float(np.sqrt(((field_cv - field_cv.mean(axis=0)) ** 2).mean()))
    if not size > 0:
        raise UserError(f"{called}: no electrode sees any dipole; compute it anew")
    factor = _STEP ** round(np.log(_TYPICAL_V_PER_AM / size) / np.log(_STEP))
    if factor != 1:
        raise UserError(
            f"{called}: electrodes see {size:.2g} V of a dipole of 1 A m (rms), which none does; a factor of {factor:g} would fit: give the"
            " lead field in V/(A m)"
        )


def _in_average(space: mne.utils.BunchConst, sphere: Path | None, called: str) -> NDArray[np.int64]:
    """Vertex of fsaverage5 that is nearest on the sphere to each of a hemisphere's."""
    n_vertices, subject = int(space["np"]), space.get("subject_his_id") or "another subject"
    if sphere is not None:
        direction_v3 = _directions(sphere)
        if len(direction_v3) != n_vertices:
            raise UserError(
                f"{sphere.name}: has {len(direction_v3)} vertices, and the surface of {called} {n_vertices}; give --spheres of {subject}"
            )
    elif n_vertices in AVERAGE_SUBJECTS:
        direction_v3 = icosphere(_FINEST_GRADE + list(AVERAGE_SUBJECTS).index(n_vertices))[0]
    else:
        raise UserError(
            f"{called}: is on the surface of {subject}, and nothing says which of its {n_vertices} vertices lies where on fsaverage; give"
            " --spheres lh.sphere.reg rh.sphere.reg of that subject, or a source space of fsaverage"
        )
    nearest: NDArray[np.int64] = cKDTree(icosphere(_FINEST_GRADE)[0]).query(direction_v3[space["vertno"]])[1].astype(np.int64)
    return nearest


def _directions(sphere: Path) -> NDArray[np.float64]:
    """Unit vectors of the vertices of a sphere of FreeSurfer."""
    try:
        vertices_v3 = nib.freesurfer.read_geometry(sphere)[0].astype(np.float64)
    except Exception as error:
        raise UserError(f"{sphere.name}: is no surface of FreeSurfer ({error}); give ?h.sphere.reg") from error
    unit_v3: NDArray[np.float64] = vertices_v3 / np.linalg.norm(vertices_v3, axis=1, keepdims=True)
    return unit_v3
