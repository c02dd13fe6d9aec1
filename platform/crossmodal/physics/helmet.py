"""The magnetometers and gradiometers of a VectorView helmet, whose places MNE bundles, around a head."""

from collections.abc import Sequence

import mne
import numpy as np
from mne.transforms import Transform, apply_trans, invert_transform
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from crossmodal.config import UserError
from crossmodal.config.simulation import Anatomy
from crossmodal.physics.anatomy import deviates
from crossmodal.physics.cap import CAP, cap_positions_m
from crossmodal.physics.cortex import template_head
from crossmodal.physics.geometry import fit_sphere
from crossmodal.physics.head import meg_positions_m, relative_radius, upper_scalp

MEG_TYPES = ("mag", "grad")
# Of the device's origin above the ear canals, for a head that touches the helmet's top with room for its hair.
_DEVICE_ORIGIN_M = np.array([0.0, 0.0, 0.05])
# So far is a head lowered at once that would not fit.
_STEP_M = 0.001
# Coils that tell where a head is, on forehead and mastoids.
_COILS = ("AF7", "AF8", "TP9", "TP10")


def helmet_info(types: Sequence[str], sfreq: float) -> mne.Info:
    """Describe the sensors of some types, one type after the other, in device coordinates; no head is in the helmet yet."""
    helmet = mne.channels.read_meg_canonical_info("neuromag")
    found = np.array(helmet.get_channel_types())
    picks = [pick for kind in MEG_TYPES if kind in types for pick in np.flatnonzero(found == kind)]
    info = mne.create_info([helmet["ch_names"][pick].replace(" ", "") for pick in picks], sfreq, found[picks].tolist())
    for channel, pick in zip(info["chs"], picks, strict=True):
        real = helmet["chs"][pick]
        channel.update(loc=real["loc"].copy(), coil_type=real["coil_type"], coord_frame=real["coord_frame"])
    return info


def named_sensors(names: Sequence[str]) -> mne.Info:
    """Describe sensors of the helmet by their names, in their order and in device coordinates.

    Raises
    ------
    UserError
        The helmet has no sensor of a name.
    """
    helmet = helmet_info(MEG_TYPES, 1.0)
    unknown = sorted(set(names) - set(helmet["ch_names"]))
    if unknown:
        raise UserError(f"{', '.join(unknown[:5])}: no sensor of a VectorView helmet has this name, so nobody knows where it is")
    return mne.pick_info(helmet, [helmet["ch_names"].index(name) for name in names])


def device_places_m(helmet: mne.Info) -> NDArray[np.float64]:
    """Places of sensors in device coordinates, shape (n_sensors, 3)."""
    return np.array([channel["loc"][:3] for channel in helmet["chs"]])


def beside(electrodes: mne.Info, helmet: mne.Info, position: Transform) -> mne.Info:
    """Describe electrodes and a helmet together, with the points that were digitised beside the electrodes.

    Parameters
    ----------
    electrodes, helmet : mne.Info
    position : mne Transform
        From device to head coordinates.
    """
    # There may be no electrodes.
    kinds = [mne.channel_type(each, pick) for each in (electrodes, helmet) for pick in range(len(each["chs"]))]
    info = mne.create_info([*electrodes["ch_names"], *helmet["ch_names"]], electrodes["sfreq"], kinds)
    for channel, known in zip(info["chs"], [*electrodes["chs"], *helmet["chs"]], strict=True):
        channel.update(loc=known["loc"].copy(), coil_type=known["coil_type"], coord_frame=known["coord_frame"])
    with info._unlock():
        info["dig"], info["dev_head_t"] = electrodes["dig"], position
    return info


def head_position(rotation_vector: NDArray[np.float64], shift_m: NDArray[np.float64]) -> Transform:
    """From device to head coordinates; rotation (rad) and shift (m), both of shape (3,), are relative to an upright and centred head."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(rotation_vector).as_matrix()
    matrix[:3, 3] = _DEVICE_ORIGIN_M + shift_m
    return Transform("meg", "head", matrix)


def draw_position(anatomy: Anatomy, axes_3: NDArray[np.float64], rng: np.random.Generator) -> Transform:
    """Draw how a head lies in the helmet, as far up as it fits.

    Parameters
    ----------
    anatomy : Anatomy
        How heads turn and move.
    axes_3 : ndarray, shape (3,)
        Size relative to the template.
    """
    scalp_m = upper_scalp(template_head().scalp_m) * axes_3
    centre_m, _ = fit_sphere(scalp_m)
    rotation_vector, shift_m = np.deg2rad(anatomy.rotation_deg) * deviates(rng, 3), anatomy.translation_m * deviates(rng, 3)
    helmet = helmet_info(("mag",), 1.0)
    while True:
        with helmet._unlock():
            helmet["dev_head_t"] = head_position(rotation_vector, shift_m)
        if (relative_radius(meg_positions_m(helmet), scalp_m, centre_m) > 1).all():
            return helmet["dev_head_t"]
        shift_m = shift_m + np.array([0, 0, _STEP_M])


def measured_position(true: Transform, axes_3: NDArray[np.float64], error_m: float, rng: np.random.Generator) -> Transform:
    """Tell a head's position as it is measured: by four coils on the head, each of which was digitised with an error.

    Parameters
    ----------
    true : mne Transform
        From device to head coordinates.
    axes_3 : ndarray, shape (3,)
        Size of the head relative to the template.
    error_m : float
        Standard deviation along each axis.
    """
    coils_m = cap_positions_m()[[CAP.index(site) for site in _COILS]] * axes_3
    in_device_m = apply_trans(invert_transform(true), coils_m)
    return moved_onto(in_device_m, coils_m + error_m * rng.standard_normal(coils_m.shape))


def moved_onto(device_m: NDArray[np.float64], head_m: NDArray[np.float64]) -> Transform:
    """Turn and move points in device coordinates onto those in head coordinates, both (n, 3), with the least squared distance.

    Source: W. Kabsch, "A solution for the best rotation to relate two sets of vectors", Acta Crystallographica A32, 1976.
    """
    centres_m = device_m.mean(axis=0), head_m.mean(axis=0)
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.align_vectors(head_m - centres_m[1], device_m - centres_m[0])[0].as_matrix()
    matrix[:3, 3] = centres_m[1] - matrix[:3, :3] @ centres_m[0]
    return Transform("meg", "head", matrix)
