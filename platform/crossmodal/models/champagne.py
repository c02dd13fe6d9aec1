"""Champagne: sparse Bayesian learning of how strong each cortical region is.

Shape suffixes: b batch, c electrode, h head, k direction, r region, a atom.
"""

from collections.abc import Sequence

import torch
from pydantic import Field

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Geometry, Model, ModelConfig
from crossmodal.models.classical_parts.cortical_field import CorticalField, cortical_field
from crossmodal.models.classical_parts.tuned_solver import TunedSolver
from crossmodal.models.classical_parts.window_solver import WindowSolver, white_noise
from crossmodal.transforms.scaling import Normaliser


class ChampagneConfig(ModelConfig):
    """Sparse Bayesian learning over the regions of the template's cortex, in each window anew."""

    noises: tuple[float, ...] = Field(
        (0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
        min_length=1,
        description="variances of white noise, as shares of the mean variance over electrodes, to choose from",
    )
    iterations: int = Field(50, ge=1)
    n_dipoles: int = Field(1500, ge=10)

    @property
    def title(self) -> str:
        """Name it."""
        return "Champagne"


class Champagne(TunedSolver):
    """Variances of regions that make the covariance of a window most likely, and the activity that is expected under them.

    With region fields d_k, variances g_k and noise l, the covariance is S = sum_k g_k d_k d_k' + l I. Each iteration multiplies g_k by
    sqrt(d_k' S^-1 C S^-1 d_k / d_k' S^-1 d_k), where C is the window's covariance; activity is g_k d_k' S^-1 y.
    Source: Wipf et al. (2010), "Robust Bayesian estimation of the location, orientation, and time course of multiple correlated neural
    sources using MEG", NeuroImage 49:641-655; the update is that of convex bounding, in Cai et al. (2021), NeuroImage 225:117411.
    """

    def __init__(self, config: ChampagneConfig, signals: SignalPair) -> None:
        super().__init__(config.noises, signals)
        self.iterations, self.n_dipoles = config.iterations, config.n_dipoles

    def solvers(self, geometry: Geometry, settings: Sequence[float]) -> list[Model]:
        """Take the region fields of one subject."""
        field = cortical_field(geometry, self.n_dipoles)
        return [_Champagne(field, noise, self.iterations, geometry.normaliser) for noise in settings]


class _Champagne(WindowSolver):
    """Champagne of one subject."""

    def __init__(self, field: CorticalField, noise: float, iterations: int, normaliser: Normaliser) -> None:
        super().__init__(field.basis_kc, normaliser)
        self.field_kr, self.noise, self.iterations = field.region_field_kr, noise, iterations

    def region_map(self, covariance_bkk: torch.Tensor) -> torch.Tensor:
        noise_bkk = white_noise(self.noise, covariance_bkk)
        total_b = covariance_bkk.diagonal(dim1=1, dim2=2).sum(1)
        variance_br = (total_b / self.field_kr.square().sum())[:, None].expand(-1, self.field_kr.shape[1])
        for _ in range(self.iterations):
            whitened_bkr = self._whitened(variance_br, noise_bkk)
            power_br = (whitened_bkr * (covariance_bkk @ whitened_bkr)).sum(1)
            sensitivity_br = (whitened_bkr * self.field_kr).sum(1)
            variance_br = variance_br * (power_br / sensitivity_br).sqrt()
        return variance_br[..., None] * self._whitened(variance_br, noise_bkk).mT

    def _whitened(self, variance_br: torch.Tensor, noise_bkk: torch.Tensor) -> torch.Tensor:
        """Fields times the inverse of the model's covariance, shape (batch, n_directions, n_regions)."""
        model_bkk = (self.field_kr * variance_br[:, None]) @ self.field_kr.T + noise_bkk
        return torch.linalg.solve(model_bkk, self.field_kr.expand(len(variance_br), -1, -1))
