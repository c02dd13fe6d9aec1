"""Heads drawn at random: their skull, their shape, how the cap sits, and how far off their electrodes were measured."""

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
from crossmodal.physics.head import Skull, lead_field, sphere_head, upper_scalp


@dataclass(frozen=True)
class RandomHead:
    """One head.

    Attributes
    ----------
    info : mne.Info
        Electrodes where they were measured, and digitised points of the head: what a solver may know.
    true_info : mne.Info
        Electrodes where they are.
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
        """Compute what the electrodes see of each vertex: V/(A m) at the average reference, shape (n_electrodes, n_vertices).

        It takes seconds in spheres and about a minute with boundary elements.
        """
        if self.is_sphere:
            model = sphere_head(upper_scalp(template_head().scalp_m) * self.axes_3, self.skull)
        else:
            model = boundary_elements(self.skull, self.axes_3)
        field_cv = lead_field(self.true_info, model.confine(self.cortex), model)
        return field_cv - field_cv.mean(axis=0)


def draw_head(heads: Heads, n_electrodes: int, sfreq: float, seed: Sequence[int]) -> RandomHead:
    """Draw a head; equal arguments give the same one.

    Parameters
    ----------
    heads : Heads
        What is drawn from. With an `anatomy` of zeros and `axes` zero, all that differs between heads is what electrodes do not tell.
    n_electrodes : int
        Of the 70 sites of `CAP`, spread evenly.
    sfreq : float
        Hz, of the recordings that the electrodes are said to make.
    seed : sequence of int
        Not below 0.
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
    return RandomHead(
        info=cap_info(chosen, sfreq, measured_m, axes_3),
        true_info=cap_info(chosen, sfreq, cap_m, axes_3),
        cortex=Dipoles(mesh.positions_m * axes_3, tilted(normals, anatomy.normal_deg, rng)),
        skull=skull,
        axes_3=axes_3,
        is_sphere=heads.model == "sphere",
    )
