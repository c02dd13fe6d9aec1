"""Volume conductor models and the lead fields of dipoles in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import mne
import numpy as np
from mne.bem import ConductorModel
from mne.transforms import Transform, apply_trans
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from crossmodal.config import UserError
from crossmodal.physics.geometry import Dipoles, fit_sphere

# Dipoles nearer to the inner skull than this make fields no cortex makes, and boundary elements go wrong there.
_LARGEST_RELATIVE_RADIUS = 0.96
_HOMOGENEOUS = {"relative_radii": (0.97, 1.0), "sigmas": (0.33, 0.33)}
# Standard values of `mne.make_sphere_model`.
_STANDARD_RADII = (0.90, 0.92, 0.97, 1.0)
_BRAIN_S_PER_M, _LIQUOR_S_PER_M = 0.33, 1.0
# Of the second of the three dipoles that stand for shells; where they fit well it is about .75.
_LEAST_ECCENTRICITY = 0.4
_ATTEMPTS = 50
# Points below this height lie on face and neck, which no sphere fits.
_FACE_HEIGHT_M = 0.01
_Modality = Literal["meg", "eeg"]
_MODALITIES: tuple[_Modality, ...] = ("meg", "eeg")


@dataclass(frozen=True)
class HeadModel:
    """A volume conductor for each modality, and how far the brain reaches.

    Attributes
    ----------
    eeg, meg : mne ConductorModel
        MEG may do with fewer layers: the skull lets hardly any current through.
    head_to_mri : mne Transform
        From head coordinates to those of the conductors.
    centre_m : ndarray, shape (3,)
        Inside the brain, head coordinates.
    inner_skull_m : ndarray, shape (n_points, 3)
        Head coordinates.
    """

    eeg: ConductorModel
    meg: ConductorModel
    head_to_mri: Transform
    centre_m: NDArray[np.float64]
    inner_skull_m: NDArray[np.float64]

    def confine(self, dipoles: Dipoles) -> Dipoles:
        """Pull dipoles that lie outside the brain, or nearly so, inwards along the radius."""
        shrink = np.minimum(1.0, _LARGEST_RELATIVE_RADIUS / relative_radius(dipoles.positions_m, self.inner_skull_m, self.centre_m))
        return Dipoles(self.centre_m + (dipoles.positions_m - self.centre_m) * shrink[:, None], dipoles.orientations)

    def scaled(self, scale: float) -> "HeadModel":
        """Enlarge the head about the origin of head coordinates."""
        matrix = self.head_to_mri["trans"].copy()
        matrix[:3, 3] *= scale
        head_to_mri = Transform("head", "mri", matrix)
        return HeadModel(_scaled(self.eeg, scale), _scaled(self.meg, scale), head_to_mri, self.centre_m * scale, self.inner_skull_m * scale)


@dataclass(frozen=True)
class Skull:
    """A skull other than the standard one.

    Attributes
    ----------
    conductivity_ratio : float
        Conductivity of brain and scalp over that of the skull.
    thickness : float
        Relative to the standard one.
    """

    conductivity_ratio: float
    thickness: float

    @property
    def shells(self) -> dict[str, tuple[float, ...]]:
        """Relative radii and conductivities (S/m) of brain, liquor, skull and scalp, as MNE takes them; the skull grows inwards."""
        brain, liquor, skull, scalp = _STANDARD_RADII
        grown = (skull - liquor) * (self.thickness - 1)
        conductivity = _BRAIN_S_PER_M / self.conductivity_ratio
        return {
            "relative_radii": (brain - grown, liquor - grown, skull, scalp),
            "sigmas": (_BRAIN_S_PER_M, _LIQUOR_S_PER_M, conductivity, _BRAIN_S_PER_M),
        }


def sphere_head(scalp_m: NDArray[np.float64], skull: bool | Skull = True) -> HeadModel:
    """Fit a sphere to scalp points (n, 3), with MNE's standard relative radii and conductivities, or those of another skull.

    Without a skull it is one homogeneous conductor, as eyes and neck see the head.
    """
    centre_m, radius_m = fit_sphere(scalp_m)
    if isinstance(skull, Skull):
        sphere = _shells(centre_m, radius_m, skull)
    else:
        sphere = mne.make_sphere_model(tuple(centre_m), radius_m, **({} if skull else _HOMOGENEOUS), verbose=False)
    directions = scalp_m - centre_m
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return HeadModel(sphere, sphere, Transform("head", "mri"), centre_m, centre_m + sphere["layers"][0]["rad"] * directions)


def _shells(centre_m: NDArray[np.float64], radius_m: float, skull: Skull) -> ConductorModel:
    """Make spherical shells, and make sure that MNE's approximation of them is one.

    MNE puts three dipoles in a homogeneous sphere in place of each in shells (P. Berg and M. Scherg, "A fast method for forward computation
    of multiple-shell spherical head models", Electroencephalography and Clinical Neurophysiology, 1994). Its search for their places ends
    far from the best ones for about one skull in eight, with two of them at the centre. A conductivity that differs by a thousandth leads
    it elsewhere.
    """
    for attempt in range(_ATTEMPTS):
        shells = Skull(skull.conductivity_ratio * (1 + 1e-3 * attempt), skull.thickness).shells
        sphere = mne.make_sphere_model(tuple(centre_m), radius_m, **shells, verbose=False)
        if np.sort(np.abs(sphere["mu"]))[-2] > _LEAST_ECCENTRICITY:
            return sphere
    raise AssertionError(f"MNE finds no dipoles for {skull}")


def relative_radius(points_m: NDArray[np.float64], surface_m: NDArray[np.float64], centre_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of points (n, 3) from a centre, relative to that of the surface point (of m, 3) nearest in direction."""
    surface_offset_m, offset_m = surface_m - centre_m, points_m - centre_m
    surface_radius_m, radius_m = (np.linalg.norm(offset, axis=1) for offset in (surface_offset_m, offset_m))
    nearest = cKDTree(surface_offset_m / surface_radius_m[:, None]).query(offset_m / radius_m[:, None])[1]
    ratio: NDArray[np.float64] = radius_m / surface_radius_m[nearest]
    return ratio


def upper_scalp(points_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keep the points (n, 3) above face and neck, head coordinates."""
    return points_m[points_m[:, 2] > _FACE_HEIGHT_M]


def located_channels(info: mne.Info) -> tuple[str, ...]:
    """Names of EEG and MEG channels, in order; refuses those without a position, and MEG without a head position."""
    picks = mne.pick_types(info, meg=True, eeg=True, ref_meg=False, exclude=())
    positions_m = {info["ch_names"][pick]: info["chs"][pick]["loc"][:3] for pick in picks}
    lost = [name for name, position_m in positions_m.items() if not np.isfinite(position_m).all() or not position_m.any()]
    if lost:
        raise UserError(f"no sensor position for {', '.join(lost)}; set a montage, or retype or drop these channels")
    if len(mne.pick_types(info, meg=True, exclude=())) and info["dev_head_t"] is None:
        raise UserError("the recording has MEG but no head position (dev_head_t), so its lead field is unknown")
    return tuple(positions_m)


def meg_positions_m(info: mne.Info) -> NDArray[np.float64]:
    """Positions of the MEG sensors, shape (n_sensors, 3), head coordinates."""
    picks = mne.pick_types(info, meg=True, ref_meg=False, exclude=())
    device_m = np.array([info["chs"][pick]["loc"][:3] for pick in picks]).reshape(-1, 3)
    return device_m if not len(picks) else np.asarray(apply_trans(info["dev_head_t"], device_m))


def lead_field(info: mne.Info, dipoles: Dipoles, head: HeadModel) -> NDArray[np.float64]:
    """Compute what the sensors of a recording see of unit dipoles.

    Parameters
    ----------
    info : mne.Info
        Sensor positions, and for MEG the head position.
    dipoles : Dipoles
        Inside the brain, head coordinates.
    head : HeadModel
        The volume conductor.

    Returns
    -------
    ndarray, shape (n_channels, n_dipoles)
        Rows are `located_channels(info)`: V/(A m) at the recording's reference where its position is stored, T/(A m) for
        magnetometers, T/(A m^2) for gradiometers.

    Raises
    ------
    UserError
        A sensor has no position, or lies within the brain.
    """
    names = located_channels(info)
    inside = int((relative_radius(meg_positions_m(info), head.inner_skull_m, head.centre_m) < 1).sum())
    if inside:
        raise UserError(f"{inside} MEG sensors lie inside the head; its position (dev_head_t) or its digitised points are wrong")
    rows: dict[str, NDArray[np.float64]] = {}
    for modality in modalities_of(info):
        forward = forward_solution(info, dipoles, head, modality)
        gain_cd3 = forward["sol"]["data"].reshape(-1, len(dipoles), 3)
        rows.update(zip(forward["sol"]["row_names"], np.einsum("cdk,dk->cd", gain_cd3, dipoles.orientations), strict=True))
    return np.array([rows[name] for name in names])


def average_referenced(field_cd: NDArray[np.float64], types: Sequence[str]) -> NDArray[np.float64]:
    """Refer the rows of electrodes in a lead field (n_channels, n_dipoles), whose types are given, to the mean of all of them."""
    is_eeg = np.array(types) == "eeg"
    referenced_cd = field_cd.copy()
    referenced_cd[is_eeg] -= field_cd[is_eeg].mean(axis=0) if is_eeg.any() else 0.0
    return referenced_cd


def modalities_of(info: mne.Info) -> list[_Modality]:
    """Which of MEG and EEG a recording has."""
    return [kind for kind in _MODALITIES if len(mne.pick_types(info, meg=kind == "meg", eeg=kind == "eeg", ref_meg=False, exclude=()))]


def forward_solution(info: mne.Info, dipoles: Dipoles, head: HeadModel, *modalities: _Modality) -> mne.Forward:
    """Compute what the sensors of a modality see of dipoles in all three directions; the source space has the dipoles' own as normals.

    Of both modalities where both see the same conductor.
    """
    positions_m = apply_trans(head.head_to_mri, dipoles.positions_m)
    orientations = apply_trans(head.head_to_mri, dipoles.orientations, move=False)
    source_space = mne.setup_volume_source_space(pos={"rr": positions_m, "nn": orientations}, verbose=False)
    wanted = {"meg": "meg" in modalities, "eeg": "eeg" in modalities}
    conductor = head.meg if "meg" in modalities else head.eeg
    assert len(modalities) == 1 or head.meg is head.eeg, "conductors differ"
    # A sphere may reach beyond the scalp it is fitted to, as far as a sensor; the field there is as outside.
    options = {"mindist": 0.0, "on_inside": "ignore", "verbose": "ERROR"}
    forward = mne.make_forward_solution(info, head.head_to_mri, source_space, conductor, **wanted, **options)
    assert forward["nsource"] == len(dipoles), "a dipole lies outside the brain; confine the dipoles first"
    return forward


def _scaled(conductor: ConductorModel, scale: float) -> ConductorModel:
    """Enlarge a conductor; its solution, made of ratios of radii or of solid angles, stays as it is."""
    scaled = conductor.copy()
    if scaled["is_sphere"]:
        scaled["r0"] = scaled["r0"] * scale
        for layer in scaled["layers"]:
            layer["rad"] *= scale
    else:
        for surface in scaled["surfs"]:
            surface["rr"] *= scale
            mne.surface.complete_surface_info(surface, copy=False, verbose=False)
    return scaled
