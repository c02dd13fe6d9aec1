"""A transformer decoder layer whose self-attention may look at inputs given apart from its own, and decoding by it token by token."""

from collections.abc import Callable

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


def decode_free(
    layers: nn.ModuleList,
    memory_btd: torch.Tensor,
    first_b1d: torch.Tensor,
    n_tokens: int,
    enter: Callable[[int, torch.Tensor], torch.Tensor],
    say: Callable[[torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    """Decode token by token, each from what was said before it; every layer keeps the inputs it has seen, to attend to.

    Parameters
    ----------
    layers : list of DecoderLayer
    memory_btd : Tensor, shape (batch, n_times, width)
        Output of the encoder.
    first_b1d : Tensor, shape (batch, 1, width)
        Enters the layers first.
    enter : callable
        What enters next, by its number and by what was said last.
    say : callable
        From the last layer's output, shape (batch, 1, width), to what is said, shape (batch, 1, n_said).

    Returns
    -------
    Tensor, shape (batch, n_tokens, n_said)
    """
    seen: list[list[torch.Tensor]] = [[] for _ in layers]
    said: list[torch.Tensor] = []
    for number in range(n_tokens):
        h_b1d = enter(number, said[-1]) if number else first_b1d
        for layer, inputs in zip(layers, seen, strict=True):
            inputs.append(h_b1d)
            h_b1d = layer(h_b1d, torch.cat(inputs, dim=1), memory_btd, causal=False)
        said.append(say(h_b1d))
    return torch.cat(said, dim=1)
