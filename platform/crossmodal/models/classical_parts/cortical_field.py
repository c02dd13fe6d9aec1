"""What a subject's electrodes see of the template's cortex, in the directions that they can see.

Shape suffixes: c electrode, k direction, d dipole, r region.
"""

from dataclasses import dataclass

import mne
import numpy as np
import torch
from numpy.typing import NDArray

from crossmodal.config.signal_spec import SignalSpec
from crossmodal.models.base import Geometry
from crossmodal.models.minimum_norm import referenced_lead_field, region_membership

# Directions that no dipole reaches, as the mean over electrodes at the average reference, have a singular value of rounding errors alone.
_SMALLEST_SINGULAR_VALUE = 1e-6


@dataclass(frozen=True)
class CorticalField:
    """A lead field in the basis of the directions that it reaches, in which it has full rank.

    Attributes
    ----------
    basis_kc : Tensor, shape (n_directions, n_electrodes)
        Orthonormal rows.
    field_kd : Tensor, shape (n_directions, n_dipoles)
        V/(A m), along the normals of the cortex.
    membership_rd : Tensor, shape (n_regions, n_dipoles)
        1 where a dipole lies in a region, else 0.
    """

    basis_kc: torch.Tensor
    field_kd: torch.Tensor
    membership_rd: torch.Tensor

    @property
    def mean_rd(self) -> torch.Tensor:
        """Means over the dipoles of regions; zero for a region that no dipole lies in."""
        return self.membership_rd / self.membership_rd.sum(1, keepdim=True).clamp_min(1)

    @property
    def region_field_kr(self) -> torch.Tensor:
        """Field of each region, whose moment is spread evenly over its dipoles, V/(A m)."""
        return self.field_kd @ self.mean_rd.T


def cortical_field(geometry: Geometry, n_dipoles: int) -> CorticalField:
    """Fit the template to a subject, and take the lead field of its electrodes at the reference of the recording.

    Raises
    ------
    UserError
        An electrode has no position.
    """
    return reached_directions(referenced_lead_field(geometry, geometry.signals.input.names, n_dipoles)[0], geometry.signals.target)


def reached_directions(field_cd: NDArray[np.float64], target: SignalSpec) -> CorticalField:
    """Bring the lead field of a template's cortex, shape (n_electrodes, n_dipoles), to the basis of the directions that it reaches."""
    vectors_ck, values_k, _ = np.linalg.svd(field_cd, full_matrices=False)
    basis_kc = vectors_ck[:, values_k > _SMALLEST_SINGULAR_VALUE * values_k[0]].T
    membership_rd = region_membership(target, field_cd.shape[1])
    return CorticalField(*(torch.from_numpy(np.ascontiguousarray(array)) for array in (basis_kc, basis_kc @ field_cd, membership_rd)))


def input_info(geometry: Geometry) -> mne.Info:
    """Describe the channels that a model reads, in its order."""
    return mne.pick_info(geometry.info, mne.pick_channels(geometry.info["ch_names"], geometry.signals.input.names, ordered=True))
