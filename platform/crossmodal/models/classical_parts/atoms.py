"""What activity may be made of: patches of cortex, what sensors see of each, and how much that differs between heads.

Shape suffixes: c channel, k direction, d dipole, a atom, r region, h head, p packed symmetric matrix.
"""

from dataclasses import dataclass, fields

import mne
import torch

from crossmodal.models.classical_parts.cortical_field import CorticalField
from crossmodal.models.classical_parts.head_spread import fields_of_other_heads
from crossmodal.models.classical_parts.packed import packed
from crossmodal.models.classical_parts.type_variance import between, variance_of_types

# Directions in which the field of an atom is taken to differ between heads.
_SPREAD_RANK = 2


@dataclass(frozen=True)
class Atoms:
    """A dictionary of patches in the directions that a subject's sensors can see.

    Attributes
    ----------
    basis_kc : Tensor, shape (n_directions, n_channels)
    sizes : tuple of int
        Both as of `CorticalField`.
    field_ka : Tensor, shape (n_directions, n_atoms)
        Of an atom of unit moment, V/(A m).
    products_ap : Tensor, shape (n_atoms, n_directions * (n_directions + 1) / 2)
        Packed second moments of each atom's field: d d', and with other heads the spread E about it as well.
    background_kk : Tensor, shape (n_directions, n_directions)
        Covariance of independent dipoles all over the cortex, of mean variance 1 in each type of channels.
    moments_ra : Tensor, shape (n_regions, n_atoms)
        Share of an atom's moment that lies in each region.
    """

    basis_kc: torch.Tensor
    sizes: tuple[int, ...]
    field_ka: torch.Tensor
    products_ap: torch.Tensor
    background_kk: torch.Tensor
    moments_ra: torch.Tensor

    def with_field(self, field_cd: torch.Tensor, weights_ad: torch.Tensor, membership_rd: torch.Tensor) -> "Atoms":
        """Give the same patches seen by another lead field of the same electrodes, in the units of `atoms_of`, as uncertain as before.

        Parameters
        ----------
        field_cd : Tensor, shape (n_electrodes, n_dipoles)
            At the average reference.
        weights_ad : Tensor, shape (n_atoms, n_dipoles)
        membership_rd : Tensor, shape (n_regions, n_dipoles)
        """
        field_kd = self.basis_kc @ field_cd
        field_ka = field_kd @ weights_ad.T
        spread_ap = self.products_ap - _squared(self.field_ka)
        return Atoms(
            self.basis_kc,
            self.sizes,
            field_ka,
            _squared(field_ka) + spread_ap,
            _background(field_kd, self.sizes),
            membership_rd @ weights_ad.T,
        )

    def in_units(self, unit_c: torch.Tensor, target_unit: float, device: torch.device) -> "Atoms":
        """Give the same in float32 on a device, of channels and moments in multiples of units.

        Parameters
        ----------
        unit_c : Tensor, shape (n_channels,)
            SI.
        target_unit : float
            A m.
        device : torch.device
        """
        field_unit = float(unit_c[0]) / target_unit
        scales = {"basis_kc": unit_c / unit_c[0], "field_ka": 1 / field_unit, "products_ap": 1 / field_unit**2}
        tensors = {field.name: getattr(self, field.name) * scales.get(field.name, 1.0) for field in fields(self) if field.name != "sizes"}
        return Atoms(sizes=self.sizes, **{name: tensor.to(device, torch.float32) for name, tensor in tensors.items()})


def atoms_of(field: CorticalField, info: mne.Info, weights_ad: torch.Tensor, n_heads: int = 0) -> Atoms:
    """See a dictionary with the sensors of a subject.

    Parameters
    ----------
    field : CorticalField
    info : mne.Info
        Describes its sensors, in their order, and the head's digitised points.
    weights_ad : Tensor, shape (n_atoms, n_dipoles)
        Moment of each dipole in an atom of unit moment.
    n_heads : int
        Other heads, over which the spread of fields is taken; without any, the fitted head is taken for certain.
    """
    field_ka = field.field_kd @ weights_ad.T
    products_ap = _squared(field_ka)
    if n_heads:
        others_hcd = torch.from_numpy(fields_of_other_heads(info, weights_ad.shape[1], n_heads))
        products_ap = products_ap + packed(_spread(field.basis_kc @ others_hcd @ weights_ad.T - field_ka))
    return Atoms(
        field.basis_kc, field.sizes, field_ka, products_ap, _background(field.field_kd, field.sizes), field.membership_rd @ weights_ad.T
    )


def _squared(field_ka: torch.Tensor) -> torch.Tensor:
    """Packed products of each atom's field with itself."""
    return packed(torch.einsum("ka,la->akl", field_ka, field_ka))


def _background(field_kd: torch.Tensor, sizes: tuple[int, ...]) -> torch.Tensor:
    """Covariance of independent dipoles, of mean variance 1 in each type of channels."""
    background_kk = field_kd @ field_kd.T
    return background_kk / between(variance_of_types(background_kk[None], sizes))[0]


def _spread(difference_hka: torch.Tensor) -> torch.Tensor:
    """Second moments over heads of what their fields have otherwise, in the directions of most of it.

    Returns
    -------
    Tensor, shape (n_atoms, n_directions, n_directions)
    """
    vectors_aks, values_as, _ = torch.linalg.svd(difference_hka.permute(2, 1, 0) / len(difference_hka) ** 0.5, full_matrices=False)
    largest_aks = (vectors_aks * values_as[:, None])[:, :, :_SPREAD_RANK]
    return largest_aks @ largest_aks.mT
