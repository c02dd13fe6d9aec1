"""How much the fields of a cortex differ between heads that the places of sensors do not tell apart.

Shape suffixes: h head, c channel, d dipole.
"""

from dataclasses import replace

import mne
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from crossmodal.physics.anatomy import deviates, tilted
from crossmodal.physics.cortex import template_cortex, template_head
from crossmodal.physics.geometry import Dipoles
from crossmodal.physics.head import HeadModel, Skull, average_referenced, lead_field, sphere_head, upper_scalp
from crossmodal.physics.template import fit_template

# Standard deviations of what a cap leaves unknown: where the cortex lies in the head, how large it is, how it folds, where each electrode
# truly stands, and how well the skull conducts.
_TURN_DEG, _SHIFT_M, _SIZE, _TILT_DEG, _ELECTRODE_M = 4.0, 0.004, 0.04, 15.0, 0.003
# Of conductivity, brain to skull: reported ratios are from 15 to 120.
_SKULL_RATIO, _LOG_RATIO_SPREAD = 50.0, 0.5
# Of all but one equivalent dipole from the centre, relative to the scalp.
_LEAST_ECCENTRICITY = 0.4
_SEED = 0


def fields_of_other_heads(info: mne.Info, n_dipoles: int, n_heads: int) -> NDArray[np.float64]:
    """Draw heads that the sensors may as well be around, and give what they see there.

    Each is the template as it was fitted to the sensors, but for what the fit cannot know. The same sensors get the same heads.

    Parameters
    ----------
    info : mne.Info
        Sensors with their places, and digitised points where there are any.
    n_dipoles : int
        Of the template's cortex, the same in each head.
    n_heads : int

    Returns
    -------
    ndarray, shape (n_heads, n_channels, n_dipoles)
        V/(A m) at the average reference, T/(A m), T/(A m^2).

    Raises
    ------
    UserError
        A sensor has no place.
    """
    rng, fit, cortex = np.random.default_rng(_SEED), fit_template(info), template_cortex(n_dipoles)
    dipoles = Dipoles(fit.points(cortex.positions_m), fit.directions(cortex.orientations))
    scalp_m = upper_scalp(fit.points(template_head().scalp_m))
    fields_cd = (lead_field(_moved(info, rng), *_other_head(dipoles, scalp_m, rng)) for _ in range(n_heads))
    return np.array([average_referenced(field_cd, info.get_channel_types()) for field_cd in fields_cd])


def _other_head(dipoles: Dipoles, scalp_m: NDArray[np.float64], rng: np.random.Generator) -> tuple[Dipoles, HeadModel]:
    """Draw a skull, and a cortex within it."""
    head = _with_other_skull(scalp_m, rng)
    turn = Rotation.from_rotvec(np.deg2rad(_TURN_DEG) * deviates(rng, 3))
    size, shift_m = 1 + _SIZE * deviates(rng, 1)[0], _SHIFT_M * deviates(rng, 3)
    positions_m = turn.apply((dipoles.positions_m - head.centre_m) * size) + head.centre_m + shift_m
    return head.confine(Dipoles(positions_m, tilted(turn.apply(dipoles.orientations), _TILT_DEG, rng))), head


def _with_other_skull(scalp_m: NDArray[np.float64], rng: np.random.Generator) -> HeadModel:
    """Draw how well the skull conducts, and another value where MNE's search for equivalent dipoles ends with two in the centre."""
    head = sphere_head(scalp_m)
    while True:
        ratio = _SKULL_RATIO * float(np.exp(_LOG_RATIO_SPREAD * deviates(rng, 1)[0]))
        sphere = mne.make_sphere_model(tuple(head.centre_m), head.eeg.radius, **Skull(ratio, thickness=1.0).shells, verbose=False)
        if np.sort(np.abs(sphere["mu"]))[-2] > _LEAST_ECCENTRICITY:
            return replace(head, eeg=sphere, meg=sphere)


def _moved(info: mne.Info, rng: np.random.Generator) -> mne.Info:
    """Move each electrode a little; a helmet keeps its form, and where it is, the place of the cortex is unknown by anyway."""
    moved = info.copy()
    for pick in mne.pick_types(info, eeg=True, exclude=()):
        moved["chs"][pick]["loc"][:3] += _ELECTRODE_M * deviates(rng, 3)
    return moved
