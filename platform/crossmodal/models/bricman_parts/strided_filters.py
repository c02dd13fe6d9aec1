"""Filters over all electrodes and a stretch of time, and what they leave of a window's length."""

import torch
from pydantic import Field
from torch import nn

from crossmodal.config import UserError
from crossmodal.models.base import ModelConfig
from crossmodal.models.pooled_rate import PooledRate


class FilterConfig(ModelConfig):
    """Settings of `StridedFilters`, with the sizes of Bricman and Borst."""

    rate_hz: float = Field(250.0, gt=0, description="EEG of at least twice this rate is averaged down towards it")
    filters: int = Field(512, ge=1)
    taps: int = Field(49, ge=1, description="length of each filter")
    dilation: int = Field(2, ge=1, description="samples from one tap to the next")
    stride: int = Field(4, ge=1, description="samples from one output to the next")
    pool: int = Field(16, ge=1, description="outputs that are averaged")


class StridedFilters(nn.Module):
    """Convolution over time whose kernels span all electrodes, padded by half their taps.

    Attributes
    ----------
    n_steps : int
        Means over `config.pool` outputs that a window holds.

    Raises
    ------
    UserError
        A window is shorter than one of them.
    """

    def __init__(self, config: FilterConfig, n_channels: int, pooled: PooledRate) -> None:
        super().__init__()
        padding, reach = config.taps // 2, config.dilation * (config.taps - 1) + 1
        needed = reach - 2 * padding + (config.pool - 1) * config.stride
        if pooled.n_times < needed:
            raise UserError(
                f"model.stride: a window is {pooled.n_times} samples at {pooled.sfreq:g} Hz, and {config.pool} outputs of filters of"
                f" {config.taps} taps, {config.stride} apart, need {needed}; lengthen data.windows.length_s, or lower model.stride,"
                " model.pool or model.taps"
            )
        self.convolution = nn.Conv1d(n_channels, config.filters, config.taps, config.stride, padding, config.dilation)
        self.n_steps = ((pooled.n_times + 2 * padding - reach) // config.stride + 1) // config.pool

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Filter (batch, n_channels, n_times) to (batch, filters, outputs)."""
        filtered_bfm: torch.Tensor = self.convolution(x_bct)
        return filtered_bfm
