"""AIM: an encoder-decoder transformer from input to target whose decoder never sees the target it predicts.

Source: README of the code behind "Super-Resoluting BCIs Via Cross-Modal Transfer" (Synaptech). The published decoder reads
the true MEG under a mask that includes the present sample; here it reads learned per-time queries, or its own past output.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import nn

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Model, ModelConfig
from crossmodal.models.decoder_layer import DecoderLayer, decode_free
from crossmodal.models.transformer_encoder import positions, transformer_encoder
from crossmodal.physics.places import Places


class AimConfig(ModelConfig):
    """Encoder-decoder transformer whose decoder never sees the target."""

    width: int = Field(256, ge=1)
    encoder_layers: int = Field(6, ge=1)
    decoder_layers: int = Field(6, ge=1)
    heads: int = Field(8, ge=1)
    expansion: int = Field(4, ge=1)
    dropout: float = Field(0.1, ge=0, lt=1)
    decoding: Literal["queries", "autoregressive"] = "queries"

    @property
    def title(self) -> str:
        """Name it as its authors do."""
        return "AIM transformer"


class Aim(Model):
    """Embeds every time point, encodes the input, and decodes the target by cross-attention to it.

    `queries` decodes all time points at once from learned queries. `autoregressive` decodes one after the other from the
    previous prediction; only training feeds it the previous true sample.
    """

    def __init__(self, config: AimConfig, signals: SignalPair) -> None:
        super().__init__()
        self.input_embedding = nn.Linear(signals.input.n_channels, config.width)
        self.input_position_td = positions(signals.input.n_times, config.width)
        self.encoder = transformer_encoder(config.width, config.heads, config.encoder_layers, config.expansion, config.dropout)
        self.query_td = positions(signals.input.n_times, config.width)
        self.target_embedding = nn.Linear(signals.target.n_channels, config.width) if config.decoding == "autoregressive" else None
        self.decoder = nn.ModuleList(
            DecoderLayer(config.width, config.heads, config.expansion, config.dropout) for _ in range(config.decoder_layers)
        )
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, signals.target.n_channels)

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict (batch, n_target, n_times) from the input alone; autoregression runs free."""
        memory_btd = self._encode(x_bct)
        if self.target_embedding is not None:
            return self._run_free(memory_btd)
        return self._decode(self.query_td.expand(len(x_bct), -1, -1), memory_btd, causal=False)

    def loss_terms(self, x_bct: torch.Tensor, y_bst: torch.Tensor, places: Places | None = None) -> dict[str, torch.Tensor]:
        """Mean squared error; in training, autoregression predicts each sample from the true ones before it."""
        if self.target_embedding is None or not self.training:
            return super().loss_terms(x_bct, y_bst)
        return {"mse": nn.functional.mse_loss(self._decode_after(y_bst, self._encode(x_bct)), y_bst)}

    def _encode(self, x_bct: torch.Tensor) -> torch.Tensor:
        encoded_btd: torch.Tensor = self.encoder(self.input_embedding(x_bct.transpose(1, 2)) + self.input_position_td)
        return encoded_btd

    def _decode(self, h_btd: torch.Tensor, memory_btd: torch.Tensor, causal: bool) -> torch.Tensor:
        for layer in self.decoder:
            h_btd = layer(h_btd, h_btd, memory_btd, causal)
        return self._said(h_btd).transpose(1, 2)

    def _decode_after(self, y_bst: torch.Tensor, memory_btd: torch.Tensor) -> torch.Tensor:
        """Predict each sample of the target from those before it."""
        assert self.target_embedding is not None
        before_bst = nn.functional.pad(y_bst, (1, 0))[..., :-1]
        return self._decode(self.query_td + self.target_embedding(before_bst.transpose(1, 2)), memory_btd, causal=True)

    def _run_free(self, memory_btd: torch.Tensor) -> torch.Tensor:
        """Decode sample by sample, the first after zeros."""
        first_b1d = self._entered(0, memory_btd.new_zeros(len(memory_btd), 1, self.head.out_features))
        return decode_free(self.decoder, memory_btd, first_b1d, len(self.query_td), self._entered, self._said).transpose(1, 2)

    def _entered(self, number: int, before_b1s: torch.Tensor) -> torch.Tensor:
        assert self.target_embedding is not None
        entered_b1d: torch.Tensor = self.query_td[number] + self.target_embedding(before_b1s)
        return entered_b1d

    def _said(self, h_btd: torch.Tensor) -> torch.Tensor:
        y_bts: torch.Tensor = self.head(self.norm(h_btd))
        return y_bts
