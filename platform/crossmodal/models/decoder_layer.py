"""A transformer decoder layer whose self-attention may look at inputs given apart from its own."""

import torch
from torch import nn


class DecoderLayer(nn.Module):
    """Pre-norm self-attention, cross-attention to the encoder's memory, and feed-forward, each with a residual path."""

    def __init__(self, width: int, heads: int, expansion: int, dropout: float) -> None:
        super().__init__()
        self.self_norm = nn.LayerNorm(width)
        self.self_attention = nn.MultiheadAttention(width, heads, dropout, batch_first=True)
        self.cross_norm = nn.LayerNorm(width)
        self.cross_attention = nn.MultiheadAttention(width, heads, dropout, batch_first=True)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, expansion * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(expansion * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, h_bqd: torch.Tensor, seen_bkd: torch.Tensor, memory_btd: torch.Tensor, causal: bool) -> torch.Tensor:
        """Decode queries.

        Parameters
        ----------
        h_bqd : Tensor, shape (batch, n_queries, width)
        seen_bkd : Tensor, shape (batch, n_seen, width)
            Inputs of this layer that the queries attend to, their own among them.
        memory_btd : Tensor, shape (batch, n_times, width)
            Output of the encoder.
        causal : bool
            Queries and seen are the same sequence, and none attends to a later one.

        Returns
        -------
        Tensor, shape (batch, n_queries, width)
        """
        key_bkd = self.self_norm(seen_bkd)
        mask = nn.Transformer.generate_square_subsequent_mask(len(h_bqd[0]), device=h_bqd.device, dtype=h_bqd.dtype) if causal else None
        attended_bqd, _ = self.self_attention(self.self_norm(h_bqd), key_bkd, key_bkd, attn_mask=mask, is_causal=causal, need_weights=False)
        h_bqd = h_bqd + self.dropout(attended_bqd)
        attended_bqd, _ = self.cross_attention(self.cross_norm(h_bqd), memory_btd, memory_btd, need_weights=False)
        h_bqd = h_bqd + self.dropout(attended_bqd)
        return h_bqd + self.dropout(self.feed_forward(h_bqd))
