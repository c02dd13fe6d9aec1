"""Physics without learning: estimate cortical sources from one modality and project them to the other."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.config.models import MinimumNormConfig
from crossmodal.models.base import Baseline, Geometry, Model, Shapes, Statistics
from crossmodal.physics.template import template_lead_field


@dataclass
class Nothing:
    """Statistics of a baseline that learns nothing."""

    def accumulate(self, x_bct: torch.Tensor, y_bst: torch.Tensor) -> None:
        """Learn nothing from a batch."""

    def __add__(self, other: Self) -> "Nothing":
        return self


class MinimumNorm(Baseline):
    """Minimum-norm estimate through the lead field of the template cortex fitted to the subject's head.

    With lead fields L_s and L_t of source and target sensors the prediction is L_t L_s' (L_s L_s' + k I)^-1 x,
    k = trace(L_s L_s') / (n snr^2), EEG against its average reference on both sides.
    Source: Hamalainen and Ilmoniemi (1994), with MNE's convention for the regularisation.
    """

    def __init__(self, config: MinimumNormConfig, shapes: Shapes) -> None:
        super().__init__()
        self.config = config
        self.n_target = shapes.n_target

    def new_statistics(self) -> Nothing:
        """Need none."""
        return Nothing()

    def solve(self, training: Statistics, validation: Statistics) -> None:
        """Learn nothing."""

    def for_subject(self, geometry: Geometry) -> Model:
        """Compute the map of one subject from its sensor positions.

        Raises
        ------
        UserError
            A sensor has no position.
        """
        names, lead_field = template_lead_field(geometry.info, self.config.n_dipoles)
        missing = [name for name in (*geometry.source_names, *geometry.target_names) if name not in names]
        if missing:
            raise UserError(
                f"minimum norm needs the positions of all sensors, {', '.join(missing[:5])} have none; leave it out of evaluation.baselines"
            )
        kinds = dict(zip(geometry.info["ch_names"], geometry.info.get_channel_types(), strict=True))
        source, target = (
            _referenced(lead_field[[names.index(name) for name in chosen]], np.array([kinds[name] for name in chosen]))
            for chosen in (geometry.source_names, geometry.target_names)
        )
        gram = source @ source.T
        penalty = np.trace(gram) / (len(gram) * self.config.snr**2)
        projection = target @ source.T @ np.linalg.inv(gram + penalty * np.eye(len(gram)))
        return _Projection(torch.from_numpy(projection), geometry)

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict zero: without a subject's geometry there is no map."""
        return x_bct.new_zeros(len(x_bct), self.n_target, x_bct.shape[2])


class _Projection(Model):
    """A fixed linear map between SI units."""

    def __init__(self, projection_sc: torch.Tensor, geometry: Geometry) -> None:
        super().__init__()
        self.projection_sc = projection_sc
        self.normaliser = geometry.normaliser

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        x_bct = self.normaliser.source.inverse(x_bct.double())
        return self.normaliser.target.forward(self.projection_sc @ x_bct).float()


def _referenced(lead_field: NDArray[np.float64], kinds: NDArray[np.str_]) -> NDArray[np.float64]:
    """Refer the EEG channels of a lead field to their average."""
    eeg = kinds == "eeg"
    if not eeg.any():
        return lead_field
    referenced = lead_field.copy()
    referenced[eeg] -= lead_field[eeg].mean(0)
    return referenced
