"""The recurrent middle of Synaptech-Net."""

import torch
from torch import nn


class Bridge(nn.Module):
    """BiLSTM over time with a residual path around it; rows of frequency are features beside the channels.

    Parameters
    ----------
    n_features : int
        Channels times rows that reach the bridge; the same number leaves it.
    hidden : int
        Hidden units a direction.
    layers : int
        0 leaves only the residual path.
    dropout : float
        Between layers and after the last.
    """

    def __init__(self, n_features: int, hidden: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.recurrence = None
        if layers:
            self.recurrence = nn.LSTM(
                n_features, hidden, layers, batch_first=True, bidirectional=True, dropout=dropout if layers > 1 else 0.0
            )
            self.dropout = nn.Dropout(dropout)
            self.projection = nn.Linear(2 * hidden, n_features)

    def forward(self, x_bcft: torch.Tensor) -> torch.Tensor:
        """Map (batch, channel, row, time) to the same shape."""
        if self.recurrence is None:
            return x_bcft
        hidden_btk, _ = self.recurrence(x_bcft.flatten(1, 2).transpose(1, 2))
        change_btk = self.projection(self.dropout(hidden_btk))
        return x_bcft + change_btk.transpose(1, 2).unflatten(1, x_bcft.shape[1:3])
