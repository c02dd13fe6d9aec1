"""AIM: an encoder-decoder transformer from input to target whose decoder never sees the target it predicts.

Source: README of the code behind "Super-Resoluting BCIs Via Cross-Modal Transfer" (Synaptech). The published decoder reads
the true MEG under a mask that includes the present sample; here it reads learned per-time queries, or its own past output.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import nn

from crossmodal.config import UserError
from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Model, ModelConfig
from crossmodal.models.decoder_layer import DecoderLayer
from crossmodal.physics.places import Places

_POSITION_SCALE = 0.02


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
        if config.width % config.heads:
            raise UserError(f"model.width {config.width} must be a multiple of model.heads {config.heads}")
        self.input_embedding = nn.Linear(signals.input.n_channels, config.width)
        self.input_position_td = _positions(signals.input.n_times, config.width)
        layer = nn.TransformerEncoderLayer(
            config.width, config.heads, config.expansion * config.width, config.dropout, "gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, config.encoder_layers, nn.LayerNorm(config.width), enable_nested_tensor=False)
        self.query_td = _positions(signals.input.n_times, config.width)
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
        return self._output(h_btd)

    def _decode_after(self, y_bst: torch.Tensor, memory_btd: torch.Tensor) -> torch.Tensor:
        """Predict each sample of the target from those before it."""
        assert self.target_embedding is not None
        before_bst = nn.functional.pad(y_bst, (1, 0))[..., :-1]
        return self._decode(self.query_td + self.target_embedding(before_bst.transpose(1, 2)), memory_btd, causal=True)

    def _run_free(self, memory_btd: torch.Tensor) -> torch.Tensor:
        """Decode sample by sample; every layer keeps the inputs it has seen, to attend to."""
        assert self.target_embedding is not None
        seen: list[list[torch.Tensor]] = [[] for _ in self.decoder]
        y_bs = memory_btd.new_zeros(len(memory_btd), self.head.out_features)
        predicted = []
        for query_d in self.query_td:
            h_bqd = (query_d + self.target_embedding(y_bs))[:, None]
            for layer, inputs in zip(self.decoder, seen, strict=True):
                inputs.append(h_bqd)
                h_bqd = layer(h_bqd, torch.cat(inputs, dim=1), memory_btd, causal=False)
            y_bs = self._output(h_bqd)[..., 0]
            predicted.append(y_bs)
        return torch.stack(predicted, dim=2)

    def _output(self, h_btd: torch.Tensor) -> torch.Tensor:
        y_bts: torch.Tensor = self.head(self.norm(h_btd))
        return y_bts.transpose(1, 2)


def _positions(n_times: int, width: int) -> nn.Parameter:
    return nn.Parameter(_POSITION_SCALE * torch.randn(n_times, width))
