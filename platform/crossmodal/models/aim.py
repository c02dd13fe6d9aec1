"""AIM: an encoder-decoder transformer over time points whose decoder never sees the target it predicts.

The published code hands the decoder the true target under a mask that includes the present sample, so it can copy. Here the decoder
reads learned queries, one a time point, or in the autoregressive form its own past outputs.
"""

import torch
from torch import nn
from torch.nn.functional import mse_loss, pad

from crossmodal.config import UserError
from crossmodal.config.models import AimConfig
from crossmodal.models.base import Model, Shapes


class Aim(Model):
    """Per-time-point linear embedding, learned positions, and a transformer from source to target."""

    def __init__(self, config: AimConfig, shapes: Shapes) -> None:
        super().__init__()
        if config.width % config.heads:
            raise UserError(f"model.width {config.width} must be a multiple of model.heads {config.heads}")
        layer = {
            "d_model": config.width,
            "nhead": config.heads,
            "dim_feedforward": config.expansion * config.width,
            "dropout": config.dropout,
            "activation": "gelu",
            "batch_first": True,
            "norm_first": True,
        }
        self.embedding = nn.Linear(shapes.n_source, config.width)
        self.positions_td = nn.Parameter(0.02 * torch.randn(shapes.n_times, config.width))
        encoder_layer, decoder_layer = nn.TransformerEncoderLayer(**layer), nn.TransformerDecoderLayer(**layer)
        # Nested tensors only serve padded batches.
        self.encoder = nn.TransformerEncoder(encoder_layer, config.encoder_layers, nn.LayerNorm(config.width), enable_nested_tensor=False)
        self.decoder = nn.TransformerDecoder(decoder_layer, config.decoder_layers, nn.LayerNorm(config.width))
        self.queries_td = nn.Parameter(0.02 * torch.randn(shapes.n_times, config.width))
        self.past_embedding = nn.Linear(shapes.n_target, config.width) if config.decoding == "autoregressive" else None
        self.head = nn.Linear(config.width, shapes.n_target)

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict from the source alone; the autoregressive form runs free, sample by sample on its own outputs."""
        memory_btd = self._encode(x_bct)
        if self.past_embedding is None:
            return self.head(self.decoder(self.queries_td.expand(len(x_bct), -1, -1), memory_btd)).transpose(1, 2)
        y_bst = x_bct.new_zeros(len(x_bct), self.head.out_features, 0)
        for _ in range(x_bct.shape[2]):
            # One sample more than is known: the last output is the next sample.
            y_bst = torch.cat([y_bst, self._decode_after(pad(y_bst, (0, 1)), memory_btd)[..., -1:]], dim=2)
        return y_bst

    def loss(self, x_bct: torch.Tensor, y_bst: torch.Tensor) -> torch.Tensor:
        """Mean squared error; while training, the autoregressive form reads the true past, never the present, and otherwise its own."""
        if self.past_embedding is None or not self.training:
            return mse_loss(self(x_bct), y_bst)
        return mse_loss(self._decode_after(y_bst, self._encode(x_bct)), y_bst)

    def _encode(self, x_bct: torch.Tensor) -> torch.Tensor:
        return self.encoder(self.embedding(x_bct.transpose(1, 2)) + self.positions_td)

    def _decode_after(self, y_bst: torch.Tensor, memory_btd: torch.Tensor) -> torch.Tensor:
        """Predict each sample from those before it; of the last, only the place counts."""
        assert self.past_embedding is not None
        n_times = y_bst.shape[2]
        past_btd = self.past_embedding(pad(y_bst, (1, 0))[..., :-1].transpose(1, 2)) + self.queries_td[:n_times]
        causal_tt = nn.Transformer.generate_square_subsequent_mask(n_times, device=y_bst.device)
        return self.head(self.decoder(past_btd, memory_btd, tgt_mask=causal_tt, tgt_is_causal=True)).transpose(1, 2)
