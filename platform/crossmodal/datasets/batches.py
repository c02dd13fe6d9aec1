"""Batches of windows, copied once from memory maps into buffers that are used again."""

import copy
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from crossmodal.config.data import Data
from crossmodal.config.signal_spec import SignalPair
from crossmodal.datasets.feed import Batch
from crossmodal.datasets.gather import Destinations, Gather
from crossmodal.datasets.shard import Shard
from crossmodal.datasets.windows import WindowSet
from crossmodal.physics.places import Places, places_of
from crossmodal.transforms.scaling import Normaliser


@dataclass(frozen=True)
class Buffer:
    """Memory for a batch, written again and again.

    Attributes
    ----------
    input_btc, target_btc : Tensor, shape (batch, n_times, channels)
        In the layout of shards; a volume is one time.
    input, target : Destinations
        The same memory, window by window.
    """

    input_btc: torch.Tensor
    target_btc: torch.Tensor
    input: Destinations
    target: Destinations


class BatchReader:
    """A feed of the windows of a role, read from shards.

    Parameters
    ----------
    shards : sequence of Shard
        Those `windows` refers to.
    windows : WindowSet
        What can be read.
    data : Data
        Names input and target channels.
    normaliser : Normaliser
        Its affine part is done in the same pass as the copy.
    signals : SignalPair
        What batches hold.
    """

    def __init__(self, shards: Sequence[Shard], windows: WindowSet, data: Data, normaliser: Normaliser, signals: SignalPair) -> None:
        self.windows = windows
        self.subjects = np.array([shards[index].subject for index in windows.shard_index])
        self.normaliser = normaliser
        self._shards = shards
        self._signals = signals
        self._input = Gather(shards, windows, data.input, normaliser.input)
        self._target = Gather(shards, windows.of_targets, data.target, normaliser.target)

    def __len__(self) -> int:
        return len(self.windows)

    def places(self, windows: NDArray[np.integer]) -> Places:
        """Tell where the sensors and heads of the subjects of these windows are."""
        return self._places[torch.from_numpy(self.windows.shard_index[windows])]

    @cached_property
    def _places(self) -> Places:
        """A row a shard."""
        return Places.stacked([places_of(shard.info(), self._signals) for shard in self._shards])

    def label(self, window: int) -> str:
        """Name the recording of a window, and its volume, counted from 1, or its first sample's time."""
        shard, volume = self._shards[self.windows.shard_index[window]], self.windows.volume
        if volume is None:
            return f"{shard.entry.label} at {self.windows.start[window] / shard.sfreq:g} s"
        return f"{shard.entry.label} volume {volume[window] + 1}"

    def buffer(self, batch_size: int, pin: bool = False) -> Buffer:
        """Allocate memory for a batch."""
        n_times, n_target_times = self.windows.n_times, self.windows.of_targets.n_times
        input_btc = torch.empty(batch_size, n_times, self._input.n_channels, pin_memory=pin)
        target_btc = torch.empty(batch_size, n_target_times, self._target.n_channels, pin_memory=pin)
        return Buffer(input_btc, target_btc, self._input.destinations(input_btc), self._target.destinations(target_btc))

    @torch.inference_mode()  # Calls cost less without autograd's records.
    def read(self, chosen: NDArray[np.integer], buffer: Buffer) -> None:
        """Copy windows, scaled by the affine part of the normaliser, into the first rows of a buffer."""
        self._input.read(chosen, buffer.input)
        self._target.read(chosen, buffer.target)

    def batches(self, batch_size: int, order: NDArray[np.integer], device: torch.device | str = "cpu") -> Iterator[Batch]:
        """Yield batches in an order, reading each while the one before it is used.

        A batch's memory is used again after the next one was asked for: copy what must stay.

        Parameters
        ----------
        order : int array
            Windows to read; the last batch takes what remains.
        device : device
            Batches are copied to a GPU from pinned memory, and whitened there; on a CPU they are whitened while they are read ahead.
        """
        device = torch.device(device)
        on_gpu = device.type == "cuda"
        normaliser = copy.deepcopy(self.normaliser).to(device) if on_gpu else self.normaliser
        # It holds no tensors, and counts what it clips for this reader.
        normaliser.target.log1p = self.normaliser.target.log1p
        buffers = [self.buffer(batch_size, pin=on_gpu) for _ in range(2)]
        copied = [torch.cuda.Event() for _ in buffers] if on_gpu else []
        chunks = [order[first : first + batch_size] for first in range(0, len(order), batch_size)]

        def after_affine(input_btc: torch.Tensor, target_btc: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return normaliser.input.after_affine(input_btc.transpose(1, 2)), normaliser.target.after_affine(target_btc.transpose(1, 2))

        def read(chunk: NDArray[np.integer], buffer: Buffer) -> tuple[torch.Tensor, torch.Tensor]:
            self.read(chunk, buffer)
            read_btc = buffer.input_btc[: len(chunk)], buffer.target_btc[: len(chunk)]
            return read_btc if on_gpu else after_affine(*read_btc)

        with ThreadPoolExecutor(1) as ahead:
            reading = [ahead.submit(read, chunk, buffers[0]) for chunk in chunks[:1]]
            for position, chunk in enumerate(chunks):
                this, other = position % 2, (position + 1) % 2
                input, target = reading.pop().result()
                if position + 1 < len(chunks):
                    if on_gpu:
                        # The device may still be copying from the buffer that is about to be written.
                        copied[other].synchronize()
                    reading.append(ahead.submit(read, chunks[position + 1], buffers[other]))
                if on_gpu:
                    on_device = input.to(device, non_blocking=True), target.to(device, non_blocking=True)
                    copied[this].record()
                    input, target = after_affine(*on_device)
                yield Batch(input, target, chunk)
