"""Blocks of a U-Net over (frequency x time)."""

import torch
from torch import nn


class EncoderBlock(nn.Module):
    """Convolution -> norm -> LeakyReLU -> (skip) -> max pooling -> dropout."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        kernel: tuple[int, int],
        pool: tuple[int, int],
        instance_norm: bool,
        negative_slope: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(n_in, n_out, kernel, padding=(kernel[0] // 2, kernel[1] // 2))
        self.norm = _norm(n_out, instance_norm)
        self.activation = nn.LeakyReLU(negative_slope)
        self.pool = nn.MaxPool2d(pool)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x_bcft: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Give the block's output at full and at halved resolution; the first is the U-Net skip."""
        skip_bcft = self.activation(self.norm(self.convolution(x_bcft)))
        return skip_bcft, self.dropout(self.pool(skip_bcft))


class DecoderBlock(nn.Module):
    """Transposed convolution that doubles the pooled axes -> norm -> ReLU, then the encoder's skip beside it."""

    def __init__(self, n_in: int, n_out: int, pool: tuple[int, int], single_row: bool, instance_norm: bool) -> None:
        super().__init__()
        # Kernel 4 stride 2 doubles an axis; an axis that was not pooled keeps its length under an odd kernel.
        kernel = (4 if pool[0] == 2 else (1 if single_row else 3), 4)
        padding = (0 if single_row else 1, 1)
        self.convolution = nn.ConvTranspose2d(n_in, n_out, kernel, stride=pool, padding=padding)
        self.norm = _norm(n_out, instance_norm)
        self.activation = nn.ReLU()

    def forward(self, x_bcft: torch.Tensor, skip_bcft: torch.Tensor) -> torch.Tensor:
        """Decode (batch, n_in, F, T) to (batch, n_out + skip channels, up to 2 F, 2 T)."""
        return torch.cat([self.activation(self.norm(self.convolution(x_bcft))), skip_bcft], dim=1)


def _norm(n_channels: int, instance: bool) -> nn.Module:
    return nn.InstanceNorm2d(n_channels, affine=True) if instance else nn.Identity()
