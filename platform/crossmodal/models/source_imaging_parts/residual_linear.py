"""From sensors to features, time by time: the front of LightBunny and Bunny."""

import torch
from torch import nn


class ResidualLinear(nn.Module):
    """Two residual blocks of linear layers and GELU, of which the second one changes the width.

    Source: the authors' code of LightBunny (github.com/hareeen/LightBunny).

    Parameters
    ----------
    n_input, width : int
    """

    def __init__(self, n_input: int, width: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(n_input, n_input), nn.GELU(), nn.Linear(n_input, n_input))
        self.second = nn.Sequential(nn.Linear(n_input, n_input), nn.GELU(), nn.Linear(n_input, width))
        self.widen = nn.Linear(n_input, width)

    def forward(self, x_btc: torch.Tensor) -> torch.Tensor:
        """Map (batch, n_times, n_input) to (batch, n_times, width)."""
        hidden_btc = nn.functional.gelu(x_btc + self.first(x_btc))
        return nn.functional.gelu(self.second(hidden_btc) + self.widen(hidden_btc))


def initialise(module: nn.Module) -> None:
    """Start a linear layer as LightBunny's authors do, by Xavier's uniform weights and biases of 0.01; leave others as they are."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.constant_(module.bias, 0.01)
