"""The fully connected network of Bricman and Borst, from seconds of EEG to a volume."""

from typing import ClassVar

import torch
from pydantic import Field
from torch import nn

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import ModelConfig, Predicts
from crossmodal.models.batch_norm import BatchNorm
from crossmodal.models.masked_loss import MaskedModel
from crossmodal.models.pooled_rate import PooledRate


class BricmanFcConfig(ModelConfig):
    """Fully connected network (Bricman and Borst); the defaults are theirs, for 30 s of EEG."""

    predicts: ClassVar[tuple[Predicts, ...]] = ("volumes",)

    rate_hz: float = Field(250.0, gt=0, description="EEG of at least twice this rate is averaged down towards it")
    channel_width: int = Field(100, ge=1, description="features of each electrode, by one layer that all share")
    channel_dropout: float = Field(0.5, ge=0, lt=1)
    widths: tuple[int, ...] = Field((1000, 1000, 1000), min_length=1)
    dropout: float = Field(0.5, ge=0, lt=1)
    rank: int = Field(100, ge=1, description="features that the volume is a linear map of")
    rank_dropout: float = Field(0.2, ge=0, lt=1)

    @property
    def title(self) -> str:
        """Name it after its authors."""
        return "Bricman fully connected"


class BricmanFc(MaskedModel):
    """Each electrode's samples through a shared layer, all electrodes through hidden layers, then a linear map of few features.

    Layers are Linear, ReLU, BatchNorm, dropout. With 34 electrodes at 1 kHz, 30 s and 53 x 63 x 52 voxels it has 23.8 million weights.
    """

    def __init__(self, config: BricmanFcConfig, signals: SignalPair) -> None:
        super().__init__(signals.target)
        self.pooled = PooledRate(signals.input, config.rate_hz)
        self.of_channel = _layer(self.pooled.n_times, config.channel_width, config.channel_dropout)
        n_features = (signals.input.n_channels * config.channel_width, *config.widths)
        self.hidden = nn.Sequential(
            *(_layer(n_in, n_out, config.dropout) for n_in, n_out in zip(n_features, config.widths, strict=False)),
            nn.Linear(config.widths[-1], config.rank),
            nn.Dropout(config.rank_dropout),
        )
        self.volume = nn.Linear(config.rank, signals.target.n_channels)

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict the volume after each window, shape (batch, n_target, 1)."""
        of_channel_np = self.of_channel(self.pooled(x_bct).flatten(0, 1))
        y_bs: torch.Tensor = self.volume(self.hidden(of_channel_np.reshape(len(x_bct), -1)))
        return y_bs[..., None]


def _layer(n_in: int, n_out: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(n_in, n_out), nn.ReLU(), BatchNorm(n_out), nn.Dropout(dropout))
