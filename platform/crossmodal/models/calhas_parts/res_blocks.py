"""Residual blocks over three axes, and encoders of them (Calhas and Henriques, arXiv 2203.03481, and their code)."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Self

import torch
from pydantic import Field
from torch import nn

from crossmodal.config import Config, UserError
from crossmodal.models.batch_norm import BatchNorm

Size = tuple[int, int, int]
_Length = Annotated[int, Field(ge=1)]


class Block(Config):
    """Kernel and stride of a residual block along channels, frequencies and TRs of what enters it; each number is at least 1."""

    kernel: tuple[_Length, _Length, _Length]
    stride: tuple[_Length, _Length, _Length] = (1, 1, 1)

    def at(self, size: Size) -> Self:
        """Take the block as it is.

        Raises
        ------
        UserError
            The kernel is longer than what enters.
        """
        if any(kernel > n for kernel, n in zip(self.kernel, size, strict=True)):
            raise UserError(
                f"model.blocks: a kernel of {_times(self.kernel)} (channels x frequencies x TRs) does not fit into {_times(size)}; make it"
                " smaller or data.windows.length_s longer, or leave model.blocks out, which scales the paper's to the input"
            )
        return self


@dataclass(frozen=True)
class PaperBlock:
    """Kernel and stride of a block of the paper, and the size of what enters it there."""

    size: Size
    kernel: Size
    stride: Size

    def at(self, size: Size) -> Block:
        """Scale kernel and stride with the size of what enters, axis by axis; at the paper's size they are the paper's."""

        def scaled(lengths: Size) -> Size:
            return _three(max(1, round(length * n / paper)) for length, n, paper in zip(lengths, size, self.size, strict=True))

        return Block(kernel=scaled(self.kernel), stride=scaled(self.stride))


class ResBlock(nn.Module):
    """Left: convolution, maximum, normalisation, ReLU, convolution, normalisation. Right: convolution, maximum, normalisation.

    The output is the ReLU of their sum. Of the convolutions only the last one of the left, of 3 samples, is padded. A maximum is taken at
    every sample, over `pool` samples or over the whole axis where that is shorter. Weights begin as Glorot's.

    Parameters
    ----------
    n_in, n_out : int
        Channels of the convolutions.
    size : tuple of int
        Of what enters, along the three axes.
    block : Block
        Fits into `size`.
    pool : tuple of int

    Attributes
    ----------
    size : tuple of int
        Of what comes out.
    """

    def __init__(self, n_in: int, n_out: int, size: Size, block: Block, pool: Size) -> None:
        super().__init__()
        convolved = _three((n - kernel) // stride + 1 for n, kernel, stride in zip(size, block.kernel, block.stride, strict=True))
        pool = _three(map(min, pool, convolved))
        self.size = _three(n - length + 1 for n, length in zip(convolved, pool, strict=True))

        def reduced() -> list[nn.Module]:
            return [nn.Conv3d(n_in, n_out, block.kernel, block.stride), nn.MaxPool3d(pool, 1), BatchNorm(n_out)]

        self.left = nn.Sequential(*reduced(), nn.ReLU(), nn.Conv3d(n_out, n_out, 3, padding=1), BatchNorm(n_out))
        self.right = nn.Sequential(*reduced())
        self.apply(_glorot)

    def forward(self, x_bnijk: torch.Tensor) -> torch.Tensor:
        """Transform (batch, n_in, *size) to (batch, n_out, *self.size)."""
        return torch.relu(self.left(x_bnijk) + self.right(x_bnijk))


class ResEncoder(nn.Module):
    """Residual blocks one after the other, and a linear map from all they give to a latent vector.

    Parameters
    ----------
    size : tuple of int
        Of what enters.
    blocks : sequence of Block or PaperBlock
    pool : tuple of int
        Of every block.
    n_channels : int
        Of every block.
    n_latent : int
    """

    def __init__(self, size: Size, blocks: Sequence[Block | PaperBlock], pool: Size, n_channels: int, n_latent: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential()
        n_in = 1
        for block in blocks:
            made = ResBlock(n_in, n_channels, size, block.at(size), pool)
            self.blocks.append(made)
            n_in, size = n_channels, made.size
        self.latent = nn.Linear(n_in * math.prod(size), n_latent)

    def forward(self, x_bijk: torch.Tensor) -> torch.Tensor:
        """Encode (batch, *size) as (batch, n_latent)."""
        z_bd: torch.Tensor = self.latent(self.blocks(x_bijk[:, None]).flatten(1))
        return z_bd


def _glorot(module: nn.Module) -> None:
    if isinstance(module, nn.Conv3d):
        assert module.bias is not None
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


def _three(lengths: Iterable[int]) -> Size:
    one, two, three = lengths
    return one, two, three


def _times(size: Size) -> str:
    return " x ".join(map(str, size))
