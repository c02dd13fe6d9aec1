"""The heads of simulated subjects, and what the electrodes on them see of the cortex."""

import functools
from dataclasses import dataclass

import mne
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from crossmodal.config.cortex import CortexSimulation
from crossmodal.physics.anatomy import deviates, tilted
from crossmodal.physics.cap import CAP, cap_info, cap_positions_m, evenly_spread
from crossmodal.physics.cortex import template_cortex, template_head
from crossmodal.physics.cortical_regions import cortical_regions
from crossmodal.physics.geometry import Dipoles
from crossmodal.physics.head import lead_field, sphere_head, upper_scalp


@dataclass(frozen=True)
class SimulatedHead:
    """One subject.

    Attributes
    ----------
    label : str
    info : mne.Info
        Sensors in their order with their positions, channels of a type side by side, and digitised points of the head.
    lead_field_cd : ndarray, shape (n_channels, n_dipoles)
        Of dipoles along the normals of this head's cortex: V/(A m) at the average reference, T/(A m), T/(A m^2).
    membership_rd : ndarray, shape (n_regions, n_dipoles)
        1 where a dipole lies in a region, else 0.
    """

    label: str
    info: mne.Info
    lead_field_cd: NDArray[np.float64]
    membership_rd: NDArray[np.float64]

    @property
    def region_field_cr(self) -> NDArray[np.float64]:
        """Field of each region, whose moment is spread evenly over its dipoles: V/(A m), shape (n_electrodes, n_regions)."""
        return self.lead_field_cd @ self.membership_rd.T / self.membership_rd.sum(axis=1)

    @property
    def fields_cd(self) -> dict[str, NDArray[np.float64]]:
        """Lead fields of the channels of each type."""
        types = np.array(self.info.get_channel_types())
        return {kind: self.lead_field_cd[types == kind] for kind in dict.fromkeys(types.tolist())}

    @property
    def backgrounds_cl(self) -> dict[str, NDArray[np.float64]]:
        """What channels of each type see of independent dipoles all over the cortex, of mean variance 1 over them.

        Each is a factor F, shape (n_channels, n_latent), of latent variables that are independent and of variance 1: those of the types
        before it, then its own, so that all types see the same activity.
        """
        factors_cl, seen_ld = {}, np.empty((0, self.lead_field_cd.shape[1]))
        for kind, field_cd in self.fields_cd.items():
            shared_cl = field_cd @ seen_ld.T
            vectors, values, own_ld = np.linalg.svd(field_cd - shared_cl @ seen_ld, full_matrices=False)
            scale = np.sqrt(len(field_cd) / ((values**2).sum() + (shared_cl**2).sum()))
            factors_cl[kind] = np.hstack([shared_cl, vectors * values]) * scale
            seen_ld = np.vstack([seen_ld, own_ld])
        return factors_cl


@functools.lru_cache(maxsize=64)
def draw_head(simulation: CortexSimulation, label: str) -> SimulatedHead:
    """Draw a subject's head, the same one every time: its size, how the cap sits on it, and where its dipoles point.

    It takes about a second, so that a process keeps heads for its next fold or trial.

    Parameters
    ----------
    simulation : CortexSimulation
        Its seed and anatomy.
    label : str
        One of its labels.
    """
    anatomy, template_m = simulation.anatomy, upper_scalp(template_head().scalp_m)
    rng = np.random.default_rng([simulation.seed, int(label)])
    scale = 1 + anatomy.head_size * float(deviates(rng, 1)[0])
    head = sphere_head(template_m).scaled(scale)
    turn = Rotation.from_rotvec(np.deg2rad(anatomy.rotation_deg) * deviates(rng, 3))
    shift_m = anatomy.translation_m * deviates(rng, 3)
    cap_m = turn.apply(cap_positions_m() * scale - head.centre_m) + head.centre_m + shift_m
    cortex = template_cortex(simulation.n_dipoles)
    dipoles = head.confine(Dipoles(cortex.positions_m * scale, tilted(cortex.orientations, anatomy.normal_deg, rng)))
    info = cap_info(evenly_spread(simulation.electrodes), simulation.sfreq, cap_m, scale)
    lead_field_cd = lead_field(info, dipoles, head)
    return SimulatedHead(label, info, lead_field_cd - lead_field_cd.mean(axis=0), cortical_regions().membership(cortex.positions_m))


def electrode_names(n_electrodes: int) -> tuple[str, ...]:
    """Names of electrodes of the extended 10-10 system that are spread evenly, front to back; the same on all heads."""
    return tuple(CAP[index] for index in evenly_spread(n_electrodes))
