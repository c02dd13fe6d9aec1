"""The template head fitted to a recording: what a baseline may know of a head whose MRI nobody has."""

from dataclasses import dataclass

import mne
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from crossmodal.config import UserError
from crossmodal.physics.cortex import template_cortex, template_head
from crossmodal.physics.geometry import Dipoles
from crossmodal.physics.head import HeadModel, forward_solution, lead_field, located_channels, modalities_of, sphere_head, upper_scalp

# A recording's points bend the template only as far as they are many; these spreads are what heads show.
_SCALE_SPREAD = 0.1
_ROTATION_SPREAD_RAD = 0.1
_TRANSLATION_SPREAD_M = 0.01
_POINT_SPREAD_M = 0.005
_FEWEST_POINTS = 15


@dataclass(frozen=True)
class HeadFit:
    """How the template becomes someone's head: stretched along x, y, z, then turned and moved."""

    scale: NDArray[np.float64]
    rotation_vector: NDArray[np.float64]
    translation_m: NDArray[np.float64]

    def points(self, points_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Move template points (n, 3)."""
        return Rotation.from_rotvec(self.rotation_vector).apply(points_m * self.scale) + self.translation_m

    def directions(self, normals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn surface normals (n, 3), which stretch inversely, to unit length."""
        turned = Rotation.from_rotvec(self.rotation_vector).apply(normals / self.scale)
        return turned / np.linalg.norm(turned, axis=1, keepdims=True)


def fit_template(info: mne.Info) -> HeadFit:
    """Fit the template's scalp to the digitised head shape of a recording, or to its electrodes where there is no other.

    Least distance of the points to the scalp along its normals, re-paired at each step, with a prior that keeps few points
    from bending the head.
    """
    points_m = _digitised_points(info)
    head = template_head()

    def residuals(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        fit = _unpack(parameters)
        scalp_m = fit.points(head.scalp_m)
        nearest = cKDTree(scalp_m).query(points_m)[1]
        distance_m = ((points_m - scalp_m[nearest]) * fit.directions(head.scalp_normals)[nearest]).sum(axis=1)
        return np.concatenate([distance_m / _POINT_SPREAD_M, parameters])

    return _unpack(least_squares(residuals, np.zeros(9), loss="soft_l1", diff_step=1e-3, max_nfev=50).x)


def template_lead_field(info: mne.Info, n_dipoles: int) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Lead field of the template cortex in a sphere, both fitted to a recording: what minimum norm knows of a new head.

    Parameters
    ----------
    info : mne.Info
        With sensor positions, and for MEG the head position `dev_head_t`.
    n_dipoles : int
        Normal to the template cortex, spread evenly.

    Returns
    -------
    names : tuple of str
        The EEG and MEG channels of `info`, in its order.
    lead_field : ndarray, shape (n_channels, n_dipoles)
        V/(A m), T/(A m) and T/(A m^2); EEG at the recording's reference where its position is stored, else at infinity.
    """
    return located_channels(info), fitted_lead_field(info, template_cortex(n_dipoles))


def fitted_lead_field(info: mne.Info, cortex: Dipoles) -> NDArray[np.float64]:
    """Give the same for other dipoles in the template's head coordinates, such as `cortex_mesh().dipoles`."""
    return lead_field(info, *_fitted(info, cortex))


def template_forward(info: mne.Info, n_dipoles: int) -> mne.Forward:
    """Give the same for the EEG and MEG of a recording as MNE's solvers take it, with fixed orientations.

    Raises
    ------
    UserError
        A sensor has no position.
    """
    located_channels(info)
    # Both see the same sphere.
    free = forward_solution(info, *_fitted(info, template_cortex(n_dipoles)), *modalities_of(info))
    return mne.convert_forward_solution(free, surf_ori=True, force_fixed=True, verbose=False)


def _fitted(info: mne.Info, cortex: Dipoles) -> tuple[Dipoles, HeadModel]:
    """Dipoles of the template's cortex in a sphere, both fitted to a recording."""
    fit = fit_template(info)
    head = sphere_head(upper_scalp(fit.points(template_head().scalp_m)))
    return head.confine(Dipoles(fit.points(cortex.positions_m), fit.directions(cortex.orientations))), head


def _digitised_points(info: mne.Info) -> NDArray[np.float64]:
    kinds = mne.io.constants.FIFF
    digitised = [point for point in info["dig"] or () if point["coord_frame"] == kinds.FIFFV_COORD_HEAD]
    points = [point["r"] for point in digitised if point["kind"] == kinds.FIFFV_POINT_EXTRA]
    if len(points) < _FEWEST_POINTS:
        points += [info["chs"][index]["loc"][:3] for index in mne.pick_types(info, meg=False, eeg=True, exclude=())]
    points_m = np.array(points, dtype=np.float64).reshape(-1, 3)
    usable_m = upper_scalp(points_m[np.isfinite(points_m).all(axis=1)])
    if len(usable_m) < _FEWEST_POINTS:
        raise UserError("no digitised head points and no electrode positions in the recording: the template head cannot be fitted to it")
    return usable_m


def _unpack(parameters: NDArray[np.float64]) -> HeadFit:
    log_scale, rotation, translation = parameters.reshape(3, 3)
    return HeadFit(np.exp(_SCALE_SPREAD * log_scale), _ROTATION_SPREAD_RAD * rotation, _TRANSLATION_SPREAD_M * translation)
