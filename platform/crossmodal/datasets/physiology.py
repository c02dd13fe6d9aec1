"""What eyes and heart did meanwhile: EOG and ECG that lie beside the signals of a shard."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from crossmodal.config.channel_types import CHANNEL_TYPES
from crossmodal.datasets.recording import PHYSIOLOGY
from crossmodal.datasets.shard import Shard
from crossmodal.datasets.windows import WindowSet


def shared_physiology(shards: Sequence[Shard]) -> tuple[str, ...]:
    """Name the EOG and ECG channels that all of some recordings have, in the order of the first."""
    recorded = [_voltages(shard) for shard in shards]
    return tuple(name for name in recorded[0] if all(name in names for names in recorded))


def physiology_types(shard: Shard, names: Sequence[str]) -> tuple[str, ...]:
    """Types of some EOG and ECG channels."""
    type_of = dict(zip(shard.names(PHYSIOLOGY), shard.types(PHYSIOLOGY), strict=True))
    return tuple(type_of[name] for name in names)


class PhysiologyReader:
    """Reads EOG and ECG of windows.

    Parameters
    ----------
    shards : sequence of Shard
        Those `windows` refers to.
    windows : WindowSet
        What can be read; the mean over its baseline is subtracted.
    names : tuple of str
        Channels that all recordings of the windows have.
    """

    def __init__(self, shards: Sequence[Shard], windows: WindowSet, names: tuple[str, ...]) -> None:
        self.names = names
        self._windows = windows
        self._signals = {int(index): _signal(shards[index], names) for index in np.unique(windows.shard_index)}

    @classmethod
    def of(cls, shards: Sequence[Shard], windows: WindowSet) -> "PhysiologyReader | None":
        """Read all channels that the recordings of some windows have in common; None where there are none."""
        names = shared_physiology([shards[index] for index in np.unique(windows.shard_index)])
        return cls(shards, windows, names) if names else None

    def read(self, chosen: NDArray[np.integer]) -> torch.Tensor:
        """Give the chosen windows, shape (windows, channels, n_times), in 1e-4 V (EOG) and 1e-3 V (ECG)."""
        windows = self._windows
        z_bct = np.stack(
            [self._signals[windows.shard_index[row]][:, windows.start[row] : windows.start[row] + windows.n_times] for row in chosen]
        )
        if windows.baseline:
            z_bct -= z_bct[..., windows.baseline].mean(axis=2, keepdims=True)
        return torch.from_numpy(z_bct)


def _signal(shard: Shard, names: tuple[str, ...]) -> NDArray[np.float32]:
    """Read some EOG and ECG channels of a recording, shape (channels, T)."""
    blocks = shard.signal(PHYSIOLOGY)
    samples = {
        name: blocks[kind][:, inside] / CHANNEL_TYPES[kind].magnitude
        for kind in blocks
        for inside, name in enumerate(_names_of(shard, kind))
        if name in names
    }
    return np.stack([samples[name] for name in names]).astype(np.float32)


def _voltages(shard: Shard) -> tuple[str, ...]:
    """Name what is recorded besides respiration, which no window is long enough for."""
    names, types = (of_modality.get(PHYSIOLOGY, ()) for of_modality in (shard.entry.channels, shard.entry.types))
    return tuple(name for name, kind in zip(names, types, strict=True) if kind != "resp")


def _names_of(shard: Shard, kind: str) -> list[str]:
    types = shard.types(PHYSIOLOGY)
    return [name for name, of_type in zip(shard.names(PHYSIOLOGY), types, strict=True) if of_type == kind]
