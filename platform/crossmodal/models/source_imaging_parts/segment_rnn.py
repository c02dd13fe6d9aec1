"""SegRNN: read a region's course segment by segment, then write all segments at once.

Source: Lin et al. (2023), "SegRNN: Segment Recurrent Neural Network for Long-Term Time Series Forecasting" (arXiv 2308.11200), as Bunny
has it.

Shape suffixes: b batch, r region, t time, n segment, d feature.
"""

import torch
from torch import nn


class SegmentRNN(nn.Module):
    """One recurrent cell that encodes the segments of each region, and decodes each segment in one step from a code of place and region.

    A course that is no multiple of a segment is read with zeros at its end.

    Parameters
    ----------
    n_regions, n_times : int
    segment : int
        Samples.
    width : int
        Of the cell, even.
    dropout : float
    """

    def __init__(self, n_regions: int, n_times: int, segment: int, width: int, dropout: float) -> None:
        super().__init__()
        self.n_times, self.segment, self.n_segments = n_times, segment, -(-n_times // segment)
        self.embedding = nn.Sequential(nn.Linear(segment, width), nn.ReLU())
        self.cell = nn.GRU(width, width, batch_first=True)
        self.place_nd = nn.Parameter(torch.randn(self.n_segments, width // 2))
        self.region_rd = nn.Parameter(torch.randn(n_regions, width // 2))
        self.out = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, segment))

    def forward(self, x_brt: torch.Tensor) -> torch.Tensor:
        """Map (batch, n_regions, n_times) to the same shape."""
        n_batch, n_regions = x_brt.shape[:2]
        padded_brt = nn.functional.pad(x_brt, (0, self.n_segments * self.segment - self.n_times))
        segments_nd = self.embedding(padded_brt.unflatten(2, (self.n_segments, self.segment)).flatten(0, 1))
        read_1bd = self.cell(segments_nd)[1]
        # A row for each window, region and segment.
        code_rnd = torch.cat([self.place_nd.expand(n_regions, -1, -1), self.region_rd[:, None].expand(-1, self.n_segments, -1)], dim=2)
        codes_1d = code_rnd.flatten(0, 1)[:, None].repeat(n_batch, 1, 1)
        written_1bd = self.cell(codes_1d, read_1bd.repeat_interleave(self.n_segments, dim=1))[1]
        y_brt: torch.Tensor = self.out(written_1bd[0]).view(n_batch, n_regions, -1)
        return y_brt[..., : self.n_times]
