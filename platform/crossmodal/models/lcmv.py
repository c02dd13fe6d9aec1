"""The linearly constrained minimum variance beamformer."""

from collections.abc import Sequence

import torch
from pydantic import Field

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Geometry, Model, ModelConfig
from crossmodal.models.classical_parts.cortical_field import CorticalField, cortical_field
from crossmodal.models.classical_parts.tuned_solver import TunedSolver
from crossmodal.models.classical_parts.window_solver import WindowSolver, white_noise
from crossmodal.transforms.scaling import Normaliser


class LcmvConfig(ModelConfig):
    """A beamformer of unit noise gain on the template's cortex, with dipoles along its normals."""

    noises: tuple[float, ...] = Field(
        (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0),
        min_length=1,
        description="variances added to the diagonal of each window's covariance, as shares of its mean, to choose from",
    )
    n_dipoles: int = Field(1500, ge=10)

    @property
    def title(self) -> str:
        """Name it."""
        return "LCMV"


class Lcmv(TunedSolver):
    """The mean over each region of what a beamformer, made from the window's own covariance, lets through of its dipoles.

    Weights of a dipole of field l are R^-1 l / sqrt(l' R^-2 l), with which white noise has a gain of one.
    Source: Van Veen et al. (1997), IEEE Trans. Biomed. Eng. 44:867-880; Sekihara and Nagarajan (2008), Adaptive Spatial Filters for
    Electromagnetic Brain Imaging. `mne.beamformer.make_lcmv` says the same of one window at a time.
    """

    def __init__(self, config: LcmvConfig, signals: SignalPair) -> None:
        super().__init__(config.noises, signals)
        self.n_dipoles = config.n_dipoles

    def solvers(self, geometry: Geometry, settings: Sequence[float]) -> list[Model]:
        """Take the lead field of one subject."""
        field = cortical_field(geometry, self.n_dipoles)
        return [_Beamformer(field, noise, geometry.normaliser) for noise in settings]


class _Beamformer(WindowSolver):
    """A beamformer of one subject."""

    def __init__(self, field: CorticalField, noise: float, normaliser: Normaliser) -> None:
        super().__init__(field, normaliser)
        self.field_kd, self.mean_rd, self.noise = field.field_kd, field.mean_rd, noise

    def region_map(self, covariance_bkk: torch.Tensor) -> torch.Tensor:
        weights_bkd = torch.linalg.solve(covariance_bkk + white_noise(self.noise, covariance_bkk, self.sizes), self.field_kd)
        return self.mean_rd @ (weights_bkd / weights_bkd.norm(dim=1, keepdim=True)).mT
