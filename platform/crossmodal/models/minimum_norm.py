"""Physics without learning: estimate cortical sources from sensors, and project them to others or add them up in regions."""

from collections.abc import Sequence

import mne
import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from crossmodal.config.signal_spec import Cortex, SignalPair, SignalSpec
from crossmodal.models.base import Geometry, Model, ModelConfig
from crossmodal.models.zero import Zero, ZeroConfig
from crossmodal.physics.cortex import template_cortex
from crossmodal.physics.parcellation import regions_of
from crossmodal.physics.template import template_lead_field
from crossmodal.transforms.scaling import Normaliser


class MinimumNormConfig(ModelConfig):
    """Minimum-norm source estimate, projected to the target sensors through the forward model or summed in each cortical region."""

    snr: float = Field(3.0, gt=0)
    n_dipoles: int = Field(1500, ge=10)

    @property
    def title(self) -> str:
        """Name the estimate."""
        return "minimum norm"


class MinimumNorm(Zero):
    """Minimum-norm estimate through the lead field of the template cortex fitted to the subject's head.

    It is a map for one subject at a time; take `for_subject` before predicting. Without a subject's geometry it predicts zero.
    """

    def __init__(self, config: MinimumNormConfig, signals: SignalPair) -> None:
        super().__init__(ZeroConfig(), signals)
        self.snr = config.snr
        self.n_dipoles = config.n_dipoles

    def for_subject(self, geometry: Geometry) -> Model:
        """Compute the map of one subject from its sensor positions.

        Raises
        ------
        UserError
            A sensor has no position.
        """
        input, target = geometry.signals.input, geometry.signals.target
        on_cortex = isinstance(target.space, Cortex)
        lead_field, types = referenced_lead_field(geometry, [*input.names, *(() if on_cortex else target.names)], self.n_dipoles)
        target_field = lead_field[input.n_channels :]
        if on_cortex:
            # The moment of a region is the sum of its dipoles' moments.
            target_field = region_membership(target, self.n_dipoles)
        projection = minimum_norm_projection(lead_field[: input.n_channels], target_field, types[: input.n_channels], self.snr)
        return linear_map(projection, geometry.normaliser)


def region_membership(target: SignalSpec, n_dipoles: int) -> NDArray[np.float64]:
    """Tell which dipoles of the template's cortex lie in which region of a target, shape (n_regions, n_dipoles): 1 where one does."""
    assert isinstance(target.space, Cortex)
    return regions_of(target.space, target.names).membership(template_cortex(n_dipoles).positions_m)


def minimum_norm_projection(
    input_field: NDArray[np.float64], target_field: NDArray[np.float64], input_types: NDArray[np.str_], snr: float
) -> NDArray[np.float64]:
    """Estimate dipoles from the input sensors by minimum norm, and see them with the target sensors.

    The map is L_t L_s' (L_s L_s' + I / snr^2)^-1, with L_s scaled so that sensors of each type have unit mean power: magnetometers and
    gradiometers, which differ in unit, then weigh alike, and `snr` is an amplitude ratio to sensor noise that is white within a type.
    Source: Hamalainen and Ilmoniemi (1994), with MNE's convention for the regularisation.

    Parameters
    ----------
    input_field, target_field : ndarray, shape (n_channels, n_dipoles)
        Lead fields in SI units, EEG at the reference of its recording; of a cortical region, the weight of each dipole in it.
    input_types : ndarray of str, shape (n_input,)

    Returns
    -------
    ndarray, shape (n_target, n_input)
        From SI units to SI units.
    """
    power = (input_field**2).sum(axis=1)
    scale = np.sqrt([power[input_types == kind].mean() for kind in input_types])
    scaled = input_field / scale[:, None]
    gram = scaled @ scaled.T + np.eye(len(scaled)) / snr**2
    return np.linalg.solve(gram, scaled @ target_field.T).T / scale


def linear_map(projection_sc: NDArray[np.float64], normaliser: Normaliser) -> Model:
    """Make a model, in normalised units, of a map (n_target, n_input) between SI units."""
    return _LinearMap(torch.from_numpy(projection_sc), normaliser)


def referenced_lead_field(geometry: Geometry, wanted: Sequence[str], n_dipoles: int) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    """Lead field of the wanted channels at the reference that their recording has, and their types."""
    type_of = dict(zip(geometry.info["ch_names"], geometry.info.get_channel_types(), strict=True))
    has_eeg = any(type_of[name] == "eeg" for name in wanted)
    mean_of = [name for name, kind in type_of.items() if kind == "eeg"] if geometry.average_reference and has_eeg else []
    needed = list(dict.fromkeys([*wanted, *mean_of]))
    info = mne.pick_info(geometry.info, mne.pick_channels(geometry.info["ch_names"], needed, ordered=True))
    names, lead_field = template_lead_field(info, n_dipoles)
    assert list(names) == needed
    if mean_of:
        eeg = np.array([type_of[name] == "eeg" for name in needed])
        lead_field[eeg] -= lead_field[eeg].mean(axis=0)
    return lead_field[: len(wanted)], np.array([type_of[name] for name in wanted])


class _LinearMap(Model):
    """A fixed linear map between SI units."""

    def __init__(self, projection_sc: torch.Tensor, normaliser: Normaliser) -> None:
        super().__init__()
        self.projection_sc = projection_sc
        self.normaliser = normaliser

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        x_bct = self.normaliser.input.inverse(x_bct.double())
        return self.normaliser.target.forward(self.projection_sc @ x_bct).float()
