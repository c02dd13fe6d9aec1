"""The mixed network that Bricman and Borst name and never published: a convolutional front and a transformer trunk. The design is ours.

The front is the published convolution's: filters over all electrodes and a stretch of time. What follows differs, since BOLD follows
power and not voltage: outputs are squared, averaged and taken the logarithm of, as in the shallow network of Schirrmeister et al. (2017,
Human Brain Mapping 38), so that each step of time is a token of log power in learned bands and places. The published transformers'
tokens are electrodes, whose whole time course one layer takes in; with steps of time as tokens, attention compares when things happened.
At the end each feature is averaged over time by weights of its own, as a haemodynamic response averages activity, and a volume is a
linear map of these few averages.
"""

from typing import ClassVar

import torch
from pydantic import Field
from torch import nn

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Predicts
from crossmodal.models.batch_norm import BatchNorm
from crossmodal.models.bricman_parts.strided_filters import FilterConfig, StridedFilters
from crossmodal.models.masked_loss import MaskedModel
from crossmodal.models.pooled_rate import PooledRate
from crossmodal.models.transformer_encoder import positions, transformer_encoder

# Of power of filtered signals that are about one; what is silent stays finite.
_FLOOR = 1e-6


class BricmanMixedConfig(FilterConfig):
    """Convolutional front and transformer trunk (named by Bricman and Borst, designed here), with the sizes of their two networks."""

    predicts: ClassVar[tuple[Predicts, ...]] = ("volumes",)

    width: int = Field(64, ge=1, description="a multiple of `heads`")
    layers: int = Field(6, ge=1)
    heads: int = Field(8, ge=1)
    expansion: int = Field(8, ge=1, description="how many times as wide feed-forward parts are")
    dropout: float = Field(0.1, ge=0, lt=1)

    @property
    def title(self) -> str:
        """Name it after its authors."""
        return "Bricman mixed"


class BricmanMixed(MaskedModel):
    """Log power of learned filters, step by step, through a transformer over steps; then weights over time, and a linear map."""

    def __init__(self, config: BricmanMixedConfig, signals: SignalPair) -> None:
        super().__init__(signals.target)
        self.pooled = PooledRate(signals.input, config.rate_hz)
        self.filters = StridedFilters(config, signals.input.n_channels, self.pooled)
        self.pool = config.pool
        self.norm = BatchNorm(config.filters)
        self.embedding = nn.Linear(config.filters, config.width)
        self.position_md = positions(self.filters.n_steps, config.width)
        self.trunk = transformer_encoder(config.width, config.heads, config.layers, config.expansion, config.dropout)
        self.weight_md = nn.Parameter(torch.full((self.filters.n_steps, config.width), 1 / self.filters.n_steps))
        self.volume = nn.Linear(config.width, signals.target.n_channels)

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict the volume after each window, shape (batch, n_target, 1)."""
        # Power is of what varies; a channel's level, which training may shift, is none.
        centred_bct = x_bct - x_bct.mean(2, keepdim=True)
        power_bfm = nn.functional.avg_pool1d(self.filters(self.pooled(centred_bct)).square(), self.pool)
        steps_bmf = self.norm(power_bfm.clamp_min(_FLOOR).log()).transpose(1, 2)
        h_bmd = self.trunk(self.embedding(steps_bmf) + self.position_md)
        y_bs: torch.Tensor = self.volume((h_bmd * self.weight_md).sum(1))
        return y_bs[..., None]
