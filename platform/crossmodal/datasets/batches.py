"""Batches of windows, copied once from memory maps into buffers that are used again."""

import copy
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from crossmodal.config.data import Data
from crossmodal.datasets.channels import Block, blocks_of
from crossmodal.datasets.normaliser import ChannelScaling, Normaliser
from crossmodal.datasets.shard import Shard
from crossmodal.datasets.windows import WindowSet


@dataclass(frozen=True)
class Batch:
    """Windows in a model's units.

    Attributes
    ----------
    source_bct : Tensor, shape (batch, n_source, n_times)
    target_bst : Tensor, shape (batch, n_target, n_times)
    windows : int array, shape (batch,)
        Positions in the reader's window set.
    """

    source_bct: torch.Tensor
    target_bst: torch.Tensor
    windows: NDArray[np.integer]


@dataclass(frozen=True)
class _Side:
    """One of source and target: where its samples are and how they are scaled.

    The maps hold, for each shard, a tensor a block, shape (T, channels of the type).
    """

    blocks: tuple[Block, ...]
    maps: list[list[torch.Tensor]]
    scaling: ChannelScaling

    @property
    def n_channels(self) -> int:
        return self.blocks[-1].place.stop


class BatchReader:
    """Reads windows of a role as batches.

    Parameters
    ----------
    shards : sequence of Shard
        Those `windows` refers to.
    windows : WindowSet
        What can be read.
    data : Data
        Names source and target channels.
    normaliser : Normaliser
        Its affine part is done in the same pass as the copy.
    """

    def __init__(self, shards: Sequence[Shard], windows: WindowSet, data: Data, normaliser: Normaliser) -> None:
        self.windows = windows
        self.subjects = np.array([shards[index].subject for index in windows.shard_index])
        self.normaliser = normaliser
        self._sides = tuple(
            _Side(blocks_of(shards[0], signals), [_maps(shard, signals.modality, blocks_of(shard, signals)) for shard in shards], scaling)
            for signals, scaling in ((data.source, normaliser.source), (data.target, normaliser.target))
        )

    def __len__(self) -> int:
        return len(self.windows)

    def buffers(self, batch_size: int, pin: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
        """Allocate memory for source and target of a batch, shapes (batch, time, channel): the layout of shards."""
        source_btc, target_btc = (torch.empty(batch_size, self.windows.n_times, side.n_channels, pin_memory=pin) for side in self._sides)
        return source_btc, target_btc

    def read(self, chosen: NDArray[np.integer], source_btc: torch.Tensor, target_btc: torch.Tensor) -> None:
        """Copy windows, scaled by the affine part of the normaliser, into the first rows of buffers."""
        for side, out_btc in zip(self._sides, (source_btc, target_btc), strict=True):
            for out_tc, window in zip(out_btc, chosen.tolist(), strict=False):
                self._read_window(side, window, out_tc)

    def _read_window(self, side: _Side, window: int, out_tc: torch.Tensor) -> None:
        start = int(self.windows.start[window])
        rows = slice(start, start + self.windows.n_times)
        for block, samples_tc in zip(side.blocks, side.maps[self.windows.shard_index[window]], strict=True):
            x_tc = samples_tc[rows] if isinstance(block.inside, slice) else samples_tc[rows].index_select(1, torch.from_numpy(block.inside))
            offset_c, scale_c = side.scaling.offset_c[block.place], side.scaling.scale_c[block.place]
            if self.windows.baseline is not None:
                offset_c = offset_c - x_tc[self.windows.baseline].mean(0) * scale_c
            torch.addcmul(offset_c, x_tc, scale_c, out=out_tc[:, block.place])


def iterate(reader: BatchReader, batch_size: int, order: NDArray[np.integer], device: torch.device | str = "cpu") -> Iterator[Batch]:
    """Yield batches in an order, reading each while the one before it is used.

    A batch's memory is used again after the next one was asked for: copy what must stay.

    Parameters
    ----------
    order : int array
        Windows to read; the last batch takes what remains.
    device : device
        Batches are copied there from pinned memory, and whitened there.
    """
    device = torch.device(device)
    on_gpu = device.type == "cuda"
    pairs = [reader.buffers(batch_size, pin=on_gpu) for _ in range(2)]
    copied = [torch.cuda.Event() for _ in pairs] if on_gpu else []
    normaliser = copy.deepcopy(reader.normaliser).to(device) if on_gpu else reader.normaliser
    chunks = [order[first : first + batch_size] for first in range(0, len(order), batch_size)]
    with ThreadPoolExecutor(1) as ahead:
        reading = [ahead.submit(reader.read, chunk, *pair) for chunk, pair in zip(chunks[:1], pairs, strict=False)]
        for position, chunk in enumerate(chunks):
            reading.pop().result()
            if position + 1 < len(chunks):
                other = (position + 1) % 2
                if on_gpu:
                    # The device may still be copying from the buffer that is about to be written.
                    copied[other].synchronize()
                reading.append(ahead.submit(reader.read, chunks[position + 1], *pairs[other]))
            source_bct, target_bst = (buffer[: len(chunk)].to(device, non_blocking=True).transpose(1, 2) for buffer in pairs[position % 2])
            if on_gpu:
                copied[position % 2].record()
            yield Batch(normaliser.source.after_affine(source_bct), normaliser.target.after_affine(target_bst), chunk)


def epoch_order(n_windows: int, seed: int, epoch: int, rank: int, size: int) -> NDArray[np.int64]:
    """Shuffle the windows as (seed, epoch) says, and deal ranks equally many; where that does not go up, the first ones twice."""
    shuffled = np.random.default_rng([seed, epoch]).permutation(n_windows)
    return np.resize(shuffled, -(-n_windows // size) * size)[rank::size]


def _maps(shard: Shard, modality: str, blocks: Sequence[Block]) -> list[torch.Tensor]:
    signal = shard.signal(modality)
    with warnings.catch_warnings():
        # Torch has no read-only tensors and warns of the maps; nothing here writes to them.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        tensors = [torch.from_numpy(signal[block.kind]) for block in blocks]
    return [tensor[:, block.inside] if isinstance(block.inside, slice) else tensor for tensor, block in zip(tensors, blocks, strict=True)]
