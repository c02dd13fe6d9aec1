"""RAP-MUSIC: a few dipoles, one after the other, whose fields lie best in the subspace of the signal.

Shape suffixes: b batch, k direction, d dipole, r region, n dipole that was found, s direction of the signal.
"""

from collections.abc import Sequence

import torch
from pydantic import Field

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Geometry, Model, ModelConfig
from crossmodal.models.classical_parts.cortical_field import CorticalField, cortical_field
from crossmodal.models.classical_parts.tuned_solver import TunedSolver
from crossmodal.models.classical_parts.window_solver import WindowSolver
from crossmodal.transforms.scaling import Normaliser

# Of a dipole's field, what those found before leave of it, as a share of its power: less has no direction of its own.
_LEAST_LEFT = 1e-6


class RapMusicConfig(ModelConfig):
    """A few dipoles of the template's cortex, along its normals, that explain a window."""

    dipoles: tuple[int, ...] = Field((1, 2, 3, 4, 6, 8), min_length=1, description="how many to find, to choose from")
    n_dipoles: int = Field(1500, ge=10, description="of the cortex, among which they are found")

    @property
    def title(self) -> str:
        """Name it."""
        return "RAP-MUSIC"


class RapMusic(TunedSolver):
    """The dipoles found, fitted to the window by least squares; each stands for the moment of its region.

    As many directions as dipoles are wanted make the subspace of the signal, those of most variance. Each time, the dipole is taken whose
    field lies best in it, after the fields of those before were projected out of both.
    Source: Mosher and Leahy (1999), "Source localization using recursively applied and projected (RAP) MUSIC", IEEE Trans. Signal Process.
    47:332-340; `mne.beamformer.rap_music` finds the same in one window at a time.
    """

    def __init__(self, config: RapMusicConfig, signals: SignalPair) -> None:
        super().__init__(config.dipoles, signals)
        self.n_dipoles = config.n_dipoles

    def solvers(self, geometry: Geometry, settings: Sequence[float]) -> list[Model]:
        """Take the lead field of one subject."""
        field = cortical_field(geometry, self.n_dipoles)
        return [_RapMusic(field, int(n_found), geometry.normaliser) for n_found in settings]


class _RapMusic(WindowSolver):
    """RAP-MUSIC of one subject."""

    def __init__(self, field: CorticalField, n_found: int, normaliser: Normaliser) -> None:
        super().__init__(field, normaliser)
        self.field_kd, self.membership_rd, self.n_found = field.field_kd, field.membership_rd, n_found

    def region_map(self, covariance_bkk: torch.Tensor) -> torch.Tensor:
        found_bn = self.found(covariance_bkk)
        fields_bkn = self.field_kd.T[found_bn].mT
        return self.membership_rd.T[found_bn].mT @ torch.linalg.pinv(fields_bkn)

    def found(self, covariance_bkk: torch.Tensor) -> torch.Tensor:
        """Numbers of the dipoles that are found, in their order, shape (batch, n_found)."""
        signal_bks = torch.linalg.eigh(covariance_bkk).eigenvectors[:, :, -self.n_found :]
        power_d = self.field_kd.square().sum(0)
        found_bn = torch.empty(len(covariance_bkk), 0, dtype=torch.long)
        for _ in range(self.n_found):
            before_bkn = torch.linalg.qr(self.field_kd.T[found_bn].mT).Q
            outside_bks = signal_bks - before_bkn @ (before_bkn.mT @ signal_bks)
            left_bd = power_d - (before_bkn.mT @ self.field_kd).square().sum(1)
            inside_bd = (outside_bks.mT @ self.field_kd).square().sum(1)
            overlap_bd = torch.where(left_bd > _LEAST_LEFT * power_d, inside_bd / left_bd, -1.0)
            found_bn = torch.cat([found_bn, overlap_bd.argmax(1, keepdim=True)], 1)
        return found_bn
