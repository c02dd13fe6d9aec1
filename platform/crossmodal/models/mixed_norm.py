"""MxNE: the mixed-norm estimate, of few dipoles with smooth courses.

Shape suffixes: b batch, k direction, d dipole, r region, p packed symmetric matrix.
"""

from collections.abc import Sequence

import torch
from pydantic import Field

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Geometry, Model, ModelConfig
from crossmodal.models.classical_parts.cortical_field import CorticalField, cortical_field
from crossmodal.models.classical_parts.packed import packed, unpacked
from crossmodal.models.classical_parts.tuned_solver import TunedSolver
from crossmodal.models.classical_parts.window_solver import WindowSolver
from crossmodal.transforms.scaling import Normaliser

# A window that is zero throughout is silent under any penalty.
_LEAST_PENALTY = 1e-30


class MixedNormConfig(ModelConfig):
    """The mixed-norm estimate on the template's cortex, with dipoles along its normals."""

    penalties: tuple[float, ...] = Field(
        (0.01, 0.03, 0.1, 0.2, 0.4),
        min_length=1,
        description="to choose from, as shares of the one from which on everything is silent",
    )
    depth: float = Field(0.8, ge=0, le=1, description="fields are divided by their norms to this power")
    iterations: int = Field(60, ge=1)
    n_dipoles: int = Field(1500, ge=10)

    @property
    def title(self) -> str:
        """Name it."""
        return "MxNE"


class MixedNorm(TunedSolver):
    """Minimises half the squared error, plus a penalty times the sum over dipoles of the norm of each one's course.

    It is solved by minimum norms that are weighted anew: with weights w_d and penalty a, S = sum_d w_d l_d l_d' + a I, and each iteration
    multiplies w_d by sqrt(l_d' S^-1 C S^-1 l_d), which makes it the root mean square of the dipole's course w_d l_d' S^-1 y.
    Source: Gramfort, Kowalski and Hamalainen (2012), "Mixed-norm estimates for the M/EEG inverse problem using accelerated gradient
    methods", Phys. Med. Biol. 57:1937-1961; `mne.inverse_sparse.mixed_norm` minimises the same, in one window at a time.
    """

    def __init__(self, config: MixedNormConfig, signals: SignalPair) -> None:
        super().__init__(config.penalties, signals)
        self.config = config

    def solvers(self, geometry: Geometry, settings: Sequence[float]) -> list[Model]:
        """Take the lead field of one subject."""
        field = cortical_field(geometry, self.config.n_dipoles)
        return [_MixedNorm(field, penalty, self.config, geometry.normaliser) for penalty in settings]


class _MixedNorm(WindowSolver):
    """The mixed-norm estimate of one subject."""

    def __init__(self, field: CorticalField, penalty: float, config: MixedNormConfig, normaliser: Normaliser) -> None:
        super().__init__(field, normaliser)
        scale_d = field.field_kd.norm(dim=0) ** -config.depth
        self.field_kd, self.membership_rd = field.field_kd * scale_d, field.membership_rd * scale_d
        self.products_dp = packed(torch.einsum("kd,ld->dkl", self.field_kd, self.field_kd))
        self.penalty, self.iterations = penalty, config.iterations

    def region_map(self, covariance_bkk: torch.Tensor) -> torch.Tensor:
        power_bd = packed(covariance_bkk) @ self.products_dp.T
        penalty_b = (self.penalty * power_bd.amax(1).sqrt()).clamp_min(_LEAST_PENALTY)
        penalty_bkk = penalty_b[:, None, None] * torch.eye(len(self.field_kd), dtype=power_bd.dtype)
        # At first, dipoles together explain about as much as there is.
        total_b = covariance_bkk.diagonal(dim1=1, dim2=2).sum(1)
        weight_bd = (total_b.sqrt() / self.field_kd.square().sum().sqrt())[:, None].expand_as(power_bd)
        for _ in range(self.iterations):
            inverse_bkk = torch.linalg.inv(unpacked(weight_bd @ self.products_dp) + penalty_bkk)
            weight_bd = weight_bd * (packed(inverse_bkk @ covariance_bkk @ inverse_bkk) @ self.products_dp.T).clamp_min(0).sqrt()
        inverse_bkk = torch.linalg.inv(unpacked(weight_bd @ self.products_dp) + penalty_bkk)
        return (self.membership_rd * weight_bd[:, None]) @ self.field_kd.T @ inverse_bkk
