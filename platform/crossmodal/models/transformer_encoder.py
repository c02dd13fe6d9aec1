"""The transformer encoder that models share: pre-norm, with GELU."""

import torch
from torch import nn

from crossmodal.config import UserError

_POSITION_SCALE = 0.02


def transformer_encoder(width: int, heads: int, layers: int, expansion: int, dropout: float) -> nn.TransformerEncoder:
    """Build an encoder of tokens, shape (batch, n_tokens, width).

    Parameters
    ----------
    expansion : int
        How many times as wide the feed-forward part is.

    Raises
    ------
    UserError
        Heads cannot share the width.
    """
    if width % heads:
        raise UserError(f"model.width {width} must be a multiple of model.heads {heads}")
    layer = nn.TransformerEncoderLayer(width, heads, expansion * width, dropout, "gelu", batch_first=True, norm_first=True)
    return nn.TransformerEncoder(layer, layers, nn.LayerNorm(width), enable_nested_tensor=False)


def positions(n_tokens: int, width: int) -> nn.Parameter:
    """Learned positions, shape (n_tokens, width), small at first."""
    return nn.Parameter(_POSITION_SCALE * torch.randn(n_tokens, width))
