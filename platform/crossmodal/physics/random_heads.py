"""Heads drawn at random: skull, shape, how the cap sits and how the head lies in a helmet, and how far off both were measured."""

from collections.abc import Sequence
from dataclasses import dataclass

import mne
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from crossmodal.config.heads import Heads
from crossmodal.physics.anatomy import deviates, tilted
from crossmodal.physics.bem import boundary_elements
from crossmodal.physics.cap import cap_info, cap_positions_m, evenly_spread
from crossmodal.physics.cortex import template_head
from crossmodal.physics.cortex_mesh import cortex_mesh
from crossmodal.physics.geometry import Dipoles, fit_sphere
from crossmodal.physics.head import Skull, average_referenced, lead_field, sphere_head, upper_scalp
from crossmodal.physics.helmet import beside, draw_position, helmet_info, measured_position

# Ends the seed of how a head lies in a helmet, which changes nothing of what else is drawn.
_HELMET = 306


@dataclass(frozen=True)
class RandomHead:
    """One head.

    Attributes
    ----------
    info : mne.Info
        Sensors where they were measured, and digitised points of the head: what a solver may know.
    true_info : mne.Info
        Sensors where they are.
    cortex : Dipoles
        A dipole a vertex of `cortex_mesh(heads.grade, heads.surface)`, at its place in this head.
    skull : Skull
    axes_3 : ndarray, shape (3,)
        Size relative to the template along x, y and z of head coordinates.
    is_sphere : bool
    """

    info: mne.Info
    true_info: mne.Info
    cortex: Dipoles
    skull: Skull
    axes_3: NDArray[np.float64]
    is_sphere: bool

    def lead_field(self) -> NDArray[np.float64]:
        """Compute what the sensors see of each vertex, shape (n_channels, n_vertices): V/(A m) referenced, T/(A m), T/(A m^2).

        It takes seconds in spheres and about a minute with boundary elements.
        """
        if self.is_sphere:
            model = sphere_head(upper_scalp(template_head().scalp_m) * self.axes_3, self.skull)
        else:
            model = boundary_elements(self.skull, self.axes_3)
        return average_referenced(lead_field(self.true_info, model.confine(self.cortex), model), self.true_info.get_channel_types())


def draw_head(heads: Heads, n_electrodes: int, sfreq: float, seed: Sequence[int], sensors: Sequence[str] = ("eeg",)) -> RandomHead:
    """Draw a head; equal arguments give the same one.

    Parameters
    ----------
    heads : Heads
        What is drawn from. With an `anatomy` of zeros and `axes` zero, all that differs between heads is what electrodes do not tell.
    n_electrodes : int
        Of the 70 sites of `CAP`, spread evenly.
    sfreq : float
        Hz, of the recordings that the sensors are said to make.
    seed : sequence of int
        Not below 0.
    sensors : sequence of str
        Types of channels: eeg, mag and grad. A head is the same with any of them.
    """
    rng, anatomy = np.random.default_rng(list(seed)), heads.anatomy
    axes_3 = (1 + anatomy.head_size * deviates(rng, 1)) * (1 + heads.axes * deviates(rng, 3))
    ratio = float(np.exp(rng.uniform(*np.log(heads.skull_ratio))))
    skull = Skull(ratio, rng.uniform(*heads.skull_thickness))
    centre_m, _ = fit_sphere(upper_scalp(template_head().scalp_m) * axes_3)
    turn = Rotation.from_rotvec(np.deg2rad(anatomy.rotation_deg) * deviates(rng, 3))
    shift_m = anatomy.translation_m * deviates(rng, 3)
    cap_m = turn.apply(cap_positions_m() * axes_3 - centre_m) + centre_m + shift_m
    measured_m = cap_m + heads.electrode_error_m * rng.standard_normal(cap_m.shape)
    mesh, chosen = cortex_mesh(heads.grade, heads.surface), evenly_spread(n_electrodes)
    # A surface that is stretched along an axis turns its normals the other way.
    normals = mesh.normals / axes_3
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    info, true_info = (cap_info(chosen, sfreq, places_m, axes_3) for places_m in (measured_m, cap_m))
    if tuple(sensors) != ("eeg",):
        info, true_info = _in_helmet(info, true_info, heads, axes_3, np.random.default_rng([*seed, _HELMET]), sensors)
    return RandomHead(
        info=info,
        true_info=true_info,
        cortex=Dipoles(mesh.positions_m * axes_3, tilted(normals, anatomy.normal_deg, rng)),
        skull=skull,
        axes_3=axes_3,
        is_sphere=heads.model == "sphere",
    )


def _in_helmet(
    info: mne.Info, true_info: mne.Info, heads: Heads, axes_3: NDArray[np.float64], rng: np.random.Generator, sensors: Sequence[str]
) -> tuple[mne.Info, mne.Info]:
    """Put a head into a helmet, and leave the electrodes off where they are not wanted."""
    true = draw_position(heads.anatomy, axes_3, rng)
    positions = measured_position(true, axes_3, heads.electrode_error_m, rng), true
    helmet = helmet_info(sensors, info["sfreq"])
    both, true_both = (beside(cap, helmet, position) for cap, position in zip((info, true_info), positions, strict=True))
    if "eeg" in sensors:
        return both, true_both
    worn = np.arange(len(info["chs"]), len(both["chs"]))
    return mne.pick_info(both, worn), mne.pick_info(true_both, worn)
