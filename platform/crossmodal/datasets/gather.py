"""Windows of one signal, scaled while they are copied out of memory maps."""

import warnings
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from crossmodal.config.data import Signals
from crossmodal.datasets.channels import Block, blocks_of
from crossmodal.datasets.half import Half
from crossmodal.datasets.shard import Shard
from crossmodal.datasets.windows import WindowSet
from crossmodal.transforms.scaling import ChannelScaling

# Samples scaled as if they were one long one: the inner loop of addcmul otherwise runs over channels alone, and costs as much to
# start as to run. With more of them, their scales and offsets would no longer stay in the nearest cache.
_MOST_JOINED = 4
# Windows whose views, of 600 bytes each, are kept.
_MOST_KEPT = 100_000

# For each block of channels, for each window of a batch, where it goes.
Destinations = Sequence[Sequence[torch.Tensor]]


class Gather:
    """Copies windows of the channels asked for, mapped to `x * scale + offset` in the same pass.

    Parameters
    ----------
    shards : sequence of Shard
        Those `windows` refers to.
    windows : WindowSet
        What can be copied; the mean over its baseline is subtracted.
    signals : Signals
        The channels.
    scaling : ChannelScaling
        Its affine part is done.
    """

    def __init__(self, shards: Sequence[Shard], windows: WindowSet, signals: Signals, scaling: ChannelScaling) -> None:
        blocks = blocks_of(shards[0], signals)
        self.n_channels = blocks[-1].place.stop
        piece = _HalfPiece if shards[0].is_half(signals.modality) else _Piece
        self._pieces = [piece(block, shards, windows, signals.modality, scaling, is_whole=len(blocks) == 1) for block in blocks]

    def destinations(self, out_btc: torch.Tensor) -> Destinations:
        """Say once where windows go in a contiguous tensor, shape (batch, n_times, n_channels), that `read` is to fill again and again."""
        return [piece.destinations(out_btc) for piece in self._pieces]

    def read(self, chosen: NDArray[np.integer], destinations: Destinations) -> None:
        """Copy the chosen windows to the first destinations."""
        windows = chosen.tolist()
        for piece, outs in zip(self._pieces, destinations, strict=True):
            piece.read(windows, outs)


class _Piece:
    """One block of channels."""

    def __init__(
        self, block: Block, shards: Sequence[Shard], windows: WindowSet, modality: str, scaling: ChannelScaling, is_whole: bool
    ) -> None:
        self._place = block.place
        maps = [_map(shard, modality, block.kind) for shard in shards]
        self._baseline = windows.baseline
        self._offset_c, self._scale_c = scaling.offset_c[block.place], scaling.scale_c[block.place]
        n_channels, width = len(self._scale_c), maps[0].shape[1]
        joined = _largest_divisor(windows.n_times, _MOST_JOINED) if is_whole and n_channels == width else 1
        self._shape = (windows.n_times // joined, joined * n_channels)
        # Neighbours are cut out of the views themselves, others out of each window.
        neighbours, picked = (block.inside, None) if isinstance(block.inside, slice) else (slice(0, width), block.inside)
        self._view = _views([_all_windows(samples_tc[:, neighbours], windows.n_times, joined) for samples_tc in maps], windows, picked)
        self._offset, self._scale = self._offset_c.repeat(joined), self._scale_c.repeat(joined)

    def destinations(self, out_btc: torch.Tensor) -> Sequence[torch.Tensor]:
        """Find the place of this block in each window of a batch."""
        return out_btc[..., self._place].view(-1, *self._shape).unbind()

    def read(self, chosen: Sequence[int], outs: Sequence[torch.Tensor]) -> None:
        """Copy this block of windows to the first of `outs`."""
        view, offset, scale, baseline = self._view, self._offset, self._scale, self._baseline
        for window, out in zip(chosen, outs, strict=False):
            x = view(window)
            if baseline is not None:
                offset = self._less_baseline(x, self._scale_c)
            torch.addcmul(offset, x, scale, out=out)

    def _less_baseline(self, x: torch.Tensor, scale_c: torch.Tensor) -> torch.Tensor:
        mean_c = x.reshape(-1, len(scale_c))[self._baseline].mean(0)
        return torch.addcmul(self._offset_c, mean_c, scale_c, value=-1).repeat(len(self._scale) // len(scale_c))


class _HalfPiece(_Piece):
    """One block of channels of shards in float16, each shard with its own scales."""

    def __init__(
        self, block: Block, shards: Sequence[Shard], windows: WindowSet, modality: str, scaling: ChannelScaling, is_whole: bool
    ) -> None:
        super().__init__(block, shards, windows, modality, scaling, is_whole)
        repeats = len(self._scale) // len(self._scale_c)
        self._shard_index = windows.shard_index
        self._scales_c = [self._scale_c * _scale(shard, modality, block) for shard in shards]
        self._scales = [scale_c.repeat(repeats) for scale_c in self._scales_c]

    def read(self, chosen: Sequence[int], outs: Sequence[torch.Tensor]) -> None:
        """Copy this block of windows to the first of `outs`."""
        for window, out in zip(chosen, outs, strict=False):
            shard = self._shard_index[window]
            # A window at a time stays in the cache between both passes.
            x = self._view(window).float()
            offset = self._offset if self._baseline is None else self._less_baseline(x, self._scales_c[shard])
            torch.addcmul(offset, x, self._scales[shard], out=out)


def _map(shard: Shard, modality: str, kind: str) -> torch.Tensor:
    """Channels of one type as stored, shape (T, C)."""
    stored = shard.stored(modality)[kind]
    with warnings.catch_warnings():
        # Torch has no read-only tensors and warns of the maps; nothing here writes to them.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(stored.data_tc if isinstance(stored, Half) else stored)


def _all_windows(samples_tc: torch.Tensor, n_times: int, joined: int) -> torch.Tensor:
    """View the window that begins at each sample."""
    (n_samples, n_channels), width = samples_tc.shape, samples_tc.stride(0)
    shape = (max(0, n_samples - n_times + 1), n_times // joined, joined * n_channels)
    return samples_tc.as_strided(shape, (width, joined * width, 1))


def _views(all_windows: Sequence[torch.Tensor], windows: WindowSet, picked: NDArray[np.integer] | None) -> Callable[[int], torch.Tensor]:
    """Find a window by its position: with windows this short even the making of views counts, so they are kept, unless picking copies."""
    shard_index, start = windows.shard_index.tolist(), windows.start.tolist()

    def view(window: int) -> torch.Tensor:
        x = all_windows[shard_index[window]][start[window]]
        return x if picked is None else x[:, picked]

    kept = picked is None and len(windows) <= _MOST_KEPT
    return [view(window) for window in range(len(windows))].__getitem__ if kept else view


def _scale(shard: Shard, modality: str, block: Block) -> torch.Tensor:
    """What stored samples of a block are to be multiplied by, shape (C,)."""
    stored = shard.stored(modality)[block.kind]
    assert isinstance(stored, Half), "a dataset is stored one way"
    return torch.from_numpy(stored.scale_c[block.inside])


def _largest_divisor(number: int, most: int) -> int:
    return next(divisor for divisor in range(min(number, most), 0, -1) if number % divisor == 0)
