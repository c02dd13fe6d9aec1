"""Multi-scale spectral and temporal attention from seconds of EEG to regions, in the setting of NeuroBOLT (NeurIPS 2024).

Source: that paper's setting as its public README describes it: 16 s of EEG before a volume, tokens of the waveform and of its spectra at
several scales, a transformer, one value a region. Layers and sizes are ours.
"""

from typing import ClassVar

import torch
from pydantic import Field
from torch import nn

from crossmodal.config import UserError
from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import ModelConfig, Predicts
from crossmodal.models.masked_loss import MaskedModel
from crossmodal.models.pooled_rate import PooledRate
from crossmodal.models.scaled_spectra import ScaledSpectra
from crossmodal.models.transformer_encoder import positions, transformer_encoder


class MultiscaleAttentionConfig(ModelConfig):
    """Attention over time and scale within each electrode, then over electrodes (the setting of NeuroBOLT; 16 to 20 s of EEG)."""

    predicts: ClassVar[tuple[Predicts, ...]] = ("volumes",)

    rate_hz: float = Field(200.0, gt=0, description="EEG of at least twice this rate is averaged down towards it")
    patch_s: float = Field(1.0, gt=0, description="length of a token of the waveform")
    scales_s: tuple[float, ...] = Field((1.0, 2.0, 4.0), min_length=1, description="lengths of the windows of spectra, each one a token")
    highest_hz: float = Field(50.0, gt=0, description="of spectra")
    width: int = Field(64, ge=1, description="a multiple of `heads`")
    heads: int = Field(8, ge=1)
    time_layers: int = Field(4, ge=1, description="of attention over an electrode's tokens")
    electrode_layers: int = Field(2, ge=1, description="of attention over electrodes")
    expansion: int = Field(4, ge=1, description="how many times as wide feed-forward parts are")
    dropout: float = Field(0.1, ge=0, lt=1)
    rank: int = Field(64, ge=1, description="features that the regions are a linear map of")

    @property
    def title(self) -> str:
        """Say what it is."""
        return "multi-scale attention"


class MultiscaleAttention(MaskedModel):
    """An electrode's tokens are stretches of its waveform and its log spectra at each scale; a transformer relates them in time and scale.

    Each feature is then averaged over tokens by weights of its own, a second transformer relates electrodes, and regions are a linear map
    of few features of all of them.
    """

    def __init__(self, config: MultiscaleAttentionConfig, signals: SignalPair) -> None:
        super().__init__(signals.target)
        self.pooled = PooledRate(signals.input, config.rate_hz)
        n_channels, n_times, sfreq = signals.input.n_channels, self.pooled.n_times, self.pooled.sfreq
        self.n_patch, *n_windows = (
            _samples(name, length_s, n_times, sfreq)
            for name, length_s in [("patch_s", config.patch_s), *(("scales_s", scale_s) for scale_s in config.scales_s)]
        )
        self.n_patches = n_times // self.n_patch
        self.waveform = nn.Sequential(nn.Linear(self.n_patch, config.width), nn.GELU(), nn.Linear(config.width, config.width))
        spectra = [
            ScaledSpectra(n_channels, n_window, max(1, min(round(config.highest_hz * n_window / sfreq), n_window // 2)), n_times)
            for n_window in n_windows
        ]
        self.spectra = nn.ModuleList(spectra)
        self.embeddings = nn.ModuleList(nn.Linear(of_scale.spectra.n_frequencies, config.width) for of_scale in spectra)
        n_tokens = self.n_patches + sum(of_scale.spectra.n_windows for of_scale in spectra)
        self.position_kd = positions(n_tokens, config.width)
        self.over_time = transformer_encoder(config.width, config.heads, config.time_layers, config.expansion, config.dropout)
        self.weight_kd = nn.Parameter(torch.full((n_tokens, config.width), 1 / n_tokens))
        self.position_cd = positions(n_channels, config.width)
        self.over_electrodes = transformer_encoder(config.width, config.heads, config.electrode_layers, config.expansion, config.dropout)
        self.features = nn.Linear(n_channels * config.width, config.rank)
        self.regions = nn.Linear(config.rank, signals.target.n_channels)

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict the volume after each window, shape (batch, n_target, 1)."""
        tokens_bckd = self._tokens(self.pooled(x_bct)) + self.position_kd
        h_nkd = self.over_time(tokens_bckd.flatten(0, 1))
        h_bcd = (h_nkd * self.weight_kd).sum(1).view(*tokens_bckd.shape[:2], -1)
        h_bcd = self.over_electrodes(h_bcd + self.position_cd)
        y_bs: torch.Tensor = self.regions(self.features(h_bcd.flatten(1)))
        return y_bs[..., None]

    def _tokens(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Tokens of each electrode, those of the waveform first, shape (batch, n_channels, n_tokens, width)."""
        patches_bckt = x_bct[..., x_bct.shape[-1] - self.n_patches * self.n_patch :].unflatten(-1, (self.n_patches, self.n_patch))
        of_scales = [embed(spectra(x_bct).transpose(1, 2)) for embed, spectra in zip(self.embeddings, self.spectra, strict=True)]
        return torch.cat([self.waveform(patches_bckt), *of_scales], dim=2)


def _samples(setting: str, length_s: float, n_times: int, sfreq: float) -> int:
    """Samples of a token, of which a window holds at least one."""
    n_samples = max(2, round(length_s * sfreq))
    if n_samples > n_times:
        raise UserError(
            f"model.{setting}: a window of {n_times / sfreq:g} s holds no token of {length_s:g} s; shorten it or lengthen"
            " data.windows.length_s"
        )
    return n_samples
