"""What a subject's sensors see of the template's cortex, in the directions that they can see.

Shape suffixes: c channel, k direction, d dipole, r region.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import mne
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import block_diag

from crossmodal.config.signal_spec import SignalSpec
from crossmodal.models.base import Geometry
from crossmodal.models.minimum_norm import referenced_lead_field, region_membership

# Relative to the largest. Directions that no dipole reaches, as the mean over electrodes at the average reference, have a singular value of
# rounding errors alone. MEG has more sensors than it can see patterns of the cortex: the directions of others hold noise.
_SMALLEST_SINGULAR_VALUE = {"eeg": 1e-6, "mag": 1e-2, "grad": 1e-2}


@dataclass(frozen=True)
class CorticalField:
    """A lead field in the basis of the directions that it reaches, in which it has full rank.

    Each direction is one of channels of a single type. Types are scaled to the power that the first one has of the cortex, so that they
    weigh alike whatever their unit.

    Attributes
    ----------
    basis_kc : Tensor, shape (n_directions, n_channels)
        Orthogonal rows; of the first type, orthonormal ones.
    sizes : tuple of int
        Number of directions of each type, one after the other.
    field_kd : Tensor, shape (n_directions, n_dipoles)
        V/(A m), along the normals of the cortex; with MEG alone T/(A m) or T/(A m^2).
    membership_rd : Tensor, shape (n_regions, n_dipoles)
        1 where a dipole lies in a region, else 0.
    """

    basis_kc: torch.Tensor
    sizes: tuple[int, ...]
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
    """Fit the template to a subject, and take the lead field of its sensors at the reference of the recording.

    Raises
    ------
    UserError
        A sensor has no position.
    """
    field_cd, types = referenced_lead_field(geometry, geometry.signals.input.names, n_dipoles)
    return reached_directions(field_cd, types.tolist(), geometry.signals.target)


def reached_directions(field_cd: NDArray[np.float64], types: Sequence[str], target: SignalSpec) -> CorticalField:
    """Bring the lead field of a template's cortex to the basis of the directions that it reaches.

    Parameters
    ----------
    field_cd : ndarray, shape (n_channels, n_dipoles)
    types : sequence of str
        Of channels, equal ones side by side.
    target : SignalSpec
        Names the regions.
    """
    kinds = list(dict.fromkeys(types))
    fields_cd = [field_cd[[kind == each for each in types]] for kind in kinds]
    sizes = [np.sqrt(np.mean(of_type_cd**2)) for of_type_cd in fields_cd]
    bases_kc = [_basis(of_type_cd, kind) * (sizes[0] / size) for kind, of_type_cd, size in zip(kinds, fields_cd, sizes, strict=True)]
    field_kd = np.concatenate([basis_kc @ of_type_cd for basis_kc, of_type_cd in zip(bases_kc, fields_cd, strict=True)])
    basis_kc, membership_rd = block_diag(*bases_kc), region_membership(target, field_cd.shape[1])
    return CorticalField(torch.from_numpy(basis_kc), tuple(map(len, bases_kc)), torch.from_numpy(field_kd), torch.from_numpy(membership_rd))


def _basis(field_cd: NDArray[np.float64], kind: str) -> NDArray[np.float64]:
    """Orthonormal directions that the lead field of a type of channels reaches, shape (n_directions, n_channels)."""
    vectors_ck, values_k, _ = np.linalg.svd(field_cd, full_matrices=False)
    return vectors_ck[:, values_k > _SMALLEST_SINGULAR_VALUE[kind] * values_k[0]].T


def input_info(geometry: Geometry) -> mne.Info:
    """Describe the channels that a model reads, in its order."""
    return mne.pick_info(geometry.info, mne.pick_channels(geometry.info["ch_names"], geometry.signals.input.names, ordered=True))
