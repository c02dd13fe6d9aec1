"""LightTS: a course of each region from its chunks of time, and from all regions together.

Source: Zhang et al. (2022), "Less Is More: Fast Multivariate Time Series Forecasting with Light Sampling-oriented MLP Structures"
(arXiv 2207.01186), as LightBunny has it.

Shape suffixes: b batch, r region, t time, k chunk, f feature.
"""

import torch
from torch import nn


class LightTS(nn.Module):
    """Adds what two views of each region's course tell to a linear map of it over time, which all regions share.

    One view cuts the course into chunks of consecutive samples, the other takes every n-th sample, n being the number of chunks. A course
    that is no multiple of a chunk is seen with zeros at its end.

    Parameters
    ----------
    n_regions, n_times : int
    chunk : int
        Samples.
    width : int
        Features of both views together.
    """

    def __init__(self, n_regions: int, n_times: int, chunk: int, width: int) -> None:
        super().__init__()
        self.chunk, self.n_chunks = chunk, -(-n_times // chunk)
        self.padding = self.n_chunks * chunk - n_times
        self.highway = nn.Linear(n_times, n_times)
        self.continuous = _View(self.n_chunks, chunk, width // 2)
        self.interval = _View(self.n_chunks, chunk, width // 2)
        self.regions = _Exchange(n_regions, width, width, n_times)

    def forward(self, x_brt: torch.Tensor) -> torch.Tensor:
        """Map (batch, n_regions, n_times) to the same shape."""
        padded_brt = nn.functional.pad(x_brt, (0, self.padding))
        continuous_brf = self.continuous(padded_brt.unflatten(2, (self.n_chunks, self.chunk)))
        interval_brf = self.interval(padded_brt.unflatten(2, (self.chunk, self.n_chunks)).mT)
        y_brt: torch.Tensor = self.highway(x_brt) + self.regions(torch.cat([continuous_brf, interval_brf], dim=2))
        return y_brt


class _View(nn.Module):
    """Features of each region from its chunks, shape (batch, regions, n_chunks, chunk)."""

    def __init__(self, n_chunks: int, chunk: int, width: int) -> None:
        super().__init__()
        self.exchange = _Exchange(n_chunks, chunk, width, width)
        self.join = nn.Linear(n_chunks, 1)

    def forward(self, x_brkt: torch.Tensor) -> torch.Tensor:
        joined_brf: torch.Tensor = self.join(self.exchange(x_brkt).mT)[..., 0]
        return joined_brf


class _Exchange(nn.Module):
    """LightTS's information exchange block: features of each node, then among nodes, then out; the last two axes are nodes and features."""

    def __init__(self, n_nodes: int, n_input: int, width: int, n_output: int) -> None:
        super().__init__()
        self.within = nn.Sequential(nn.Linear(n_input, width), nn.LeakyReLU(), nn.Linear(width, width // 4))
        self.among = nn.Linear(n_nodes, n_nodes)
        self.out = nn.Linear(width // 4, n_output)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        within = self.within(x)
        y: torch.Tensor = self.out(within + self.among(within.mT).mT)
        return y
