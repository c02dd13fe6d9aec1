"""A transformer over electrodes, each of which is one token."""

import torch
from pydantic import Field
from torch import nn

from crossmodal.config.signal_spec import SignalSpec
from crossmodal.models.base import ModelConfig
from crossmodal.models.pooled_rate import PooledRate
from crossmodal.models.transformer_encoder import positions, transformer_encoder


class ElectrodeConfig(ModelConfig):
    """Settings of `ElectrodeTokens`, with the sizes of Bricman and Borst."""

    rate_hz: float = Field(250.0, gt=0, description="EEG of at least twice this rate is averaged down towards it")
    width: int = Field(64, ge=1, description="a multiple of `heads`")
    encoder_layers: int = Field(6, ge=1)
    heads: int = Field(8, ge=1)
    expansion: int = Field(8, ge=1, description="how many times as wide feed-forward parts are")
    dropout: float = Field(0.1, ge=0, lt=1)


class ElectrodeTokens(nn.Module):
    """All samples of an electrode through a layer that electrodes share, a learned position each, then a transformer encoder."""

    def __init__(self, config: ElectrodeConfig, input: SignalSpec) -> None:
        super().__init__()
        self.pooled = PooledRate(input, config.rate_hz)
        self.embedding = nn.Linear(self.pooled.n_times, config.width)
        self.position_cd = positions(input.n_channels, config.width)
        self.encoder = transformer_encoder(config.width, config.heads, config.encoder_layers, config.expansion, config.dropout)

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Encode (batch, n_channels, n_times) as (batch, n_channels, width)."""
        tokens_bcd: torch.Tensor = self.encoder(self.embedding(self.pooled(x_bct)) + self.position_cd)
        return tokens_bcd
