"""The convolutional network of Bricman and Borst, from seconds of EEG to a volume."""

from typing import ClassVar

import torch
from pydantic import Field
from torch import nn

from crossmodal.config import UserError
from crossmodal.config.signal_spec import SignalPair, Voxels
from crossmodal.models.base import Predicts
from crossmodal.models.batch_norm import BatchNorm
from crossmodal.models.bricman_parts.strided_filters import FilterConfig, StridedFilters
from crossmodal.models.bricman_parts.volume_convolutions import VolumeConvolutions
from crossmodal.models.masked_loss import MaskedModel
from crossmodal.models.pooled_rate import PooledRate
from crossmodal.models.voxel_box import VoxelBox


class BricmanCnnConfig(FilterConfig):
    """Convolutional network (Bricman and Borst); the defaults are theirs, for 30 s of EEG."""

    predicts: ClassVar[tuple[Predicts, ...]] = ("volumes",)

    features: int = Field(200, ge=1, description="after the filters")
    features_dropout: float = Field(0.2, ge=0, lt=1)
    widths: tuple[int, ...] = Field((1000, 1000, 1000, 1000), min_length=1)
    dropout: float = Field(0.5, ge=0, lt=1)
    rank: int = Field(100, ge=1, description="features that the volume is a linear map of")
    volume_channels: tuple[int, ...] = Field(
        (16, 16, 16), description="of the volumes between the convolutions over voxels; regions have no grid, and are not convolved"
    )
    volume_kernel: int = Field(5, ge=1, description="odd")

    @property
    def title(self) -> str:
        """Name it after its authors."""
        return "Bricman convolutional"


class BricmanCnn(MaskedModel):
    """Filters over electrodes and time (ELU, BatchNorm, mean), hidden layers, a linear map of few features, convolutions of the volume.

    Published targets are relative to the median and never below -1, the least value of an ELU. Targets here are standardised and go below
    it, so that the last layer is linear.
    """

    def __init__(self, config: BricmanCnnConfig, signals: SignalPair) -> None:
        super().__init__(signals.target)
        if config.volume_kernel % 2 == 0:
            raise UserError(f"model.volume_kernel {config.volume_kernel} must be odd, so that a volume keeps its size")
        self.pooled = PooledRate(signals.input, config.rate_hz)
        self.filters = StridedFilters(config, signals.input.n_channels, self.pooled)
        n_features = (config.features, *config.widths)
        self.hidden = nn.Sequential(
            nn.ELU(),
            BatchNorm(config.filters),
            nn.AvgPool1d(config.pool),
            nn.Flatten(),
            nn.Linear(config.filters * self.filters.n_steps, config.features),
            nn.Dropout(config.features_dropout),
            *(_layer(n_in, n_out, config.dropout) for n_in, n_out in zip(n_features, config.widths, strict=False)),
            nn.Linear(config.widths[-1], config.rank),
        )
        self.volume = nn.Linear(config.rank, signals.target.n_channels)
        self.refine: nn.Module = nn.Identity()
        if isinstance(signals.target.space, Voxels):
            self.refine = VolumeConvolutions(VoxelBox(signals.target), config.volume_channels, config.volume_kernel)

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict the volume after each window, shape (batch, n_target, 1)."""
        y_bs: torch.Tensor = self.refine(self.volume(self.hidden(self.filters(self.pooled(x_bct)))))
        return y_bs[..., None]


def _layer(n_in: int, n_out: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(n_in, n_out), BatchNorm(n_out), nn.ELU(), nn.Dropout(dropout))
