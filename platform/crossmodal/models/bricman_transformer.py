"""The transformer encoder of Bricman and Borst, from seconds of EEG to a volume."""

from typing import ClassVar

import torch
from pydantic import Field
from torch import nn

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Predicts
from crossmodal.models.bricman_parts.electrode_tokens import ElectrodeConfig, ElectrodeTokens
from crossmodal.models.masked_loss import MaskedModel


class BricmanTransformerConfig(ElectrodeConfig):
    """Transformer encoder over electrodes (Bricman and Borst); the defaults are theirs, for 30 s of EEG."""

    predicts: ClassVar[tuple[Predicts, ...]] = ("volumes",)

    rank: int = Field(128, ge=1, description="features that the volume is a linear map of")

    @property
    def title(self) -> str:
        """Name it after its authors."""
        return "Bricman transformer encoder"


class BricmanTransformer(MaskedModel):
    """Encoded electrodes side by side, then a linear map of few features."""

    def __init__(self, config: BricmanTransformerConfig, signals: SignalPair) -> None:
        super().__init__(signals.target)
        self.electrodes = ElectrodeTokens(config, signals.input)
        self.features = nn.Linear(signals.input.n_channels * config.width, config.rank)
        self.volume = nn.Linear(config.rank, signals.target.n_channels)

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict the volume after each window, shape (batch, n_target, 1)."""
        y_bs: torch.Tensor = self.volume(self.features(self.electrodes(x_bct).flatten(1)))
        return y_bs[..., None]
