"""Which columns of a shard an experiment means."""

import difflib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.config.data import Data, Signals
from crossmodal.datasets.entry import ShardEntry
from crossmodal.datasets.shard import Shard


@dataclass(frozen=True)
class Block:
    """Columns of one channel type that lie side by side in a shard, and where they go in a batch.

    Attributes
    ----------
    kind : str
        The channel type, which names a column of the shard's file.
    inside : slice or int64 array
        Channels among those of the type; a slice where they are neighbours, which reads fastest.
    place : slice
        Channels of the batch.
    """

    kind: str
    inside: slice | NDArray[np.int64]
    place: slice


def check_channels(entry: ShardEntry, data: Data) -> None:
    """Hold what data ask for against what is known of a recording before it is opened.

    Raises
    ------
    UserError
        The dataset has no such modality, type or channel, or one channel is asked for as input and target; the sentence names it.
    """
    for signals in (data.input, data.target):
        _check_modality(signals, entry.modalities)
    shared = _names(entry, data.input) & _names(entry, data.target)
    if shared:
        raise UserError(f"data.input and data.target both have {', '.join(sorted(shared))}: a model would be given what it is to predict")


def columns_of(shard: Shard, signals: Signals) -> NDArray[np.int64]:
    """Columns of a modality that are asked for, in the shard's order.

    Raises
    ------
    UserError
        The dataset has no such modality, type or channel; the sentence names it.
    """
    _check_modality(signals, shard.entry.modalities)
    return _columns(signals, shard.names(signals.modality), shard.types(signals.modality))


def blocks_of(shard: Shard, signals: Signals) -> tuple[Block, ...]:
    """The same columns as stretches of memory."""
    columns = columns_of(shard, signals)
    types = np.array(shard.types(signals.modality))
    blocks, place = [], 0
    for kind in dict.fromkeys(types[columns]):
        first = int(np.flatnonzero(types == kind)[0])
        inside = columns[types[columns] == kind] - first
        adjoining = len(inside) == inside[-1] - inside[0] + 1
        blocks.append(
            Block(str(kind), slice(int(inside[0]), int(inside[-1]) + 1) if adjoining else inside, slice(place, place + len(inside)))
        )
        place += len(inside)
    return tuple(blocks)


def _check_modality(signals: Signals, modalities: tuple[str, ...]) -> None:
    if signals.modality not in modalities:
        raise UserError(f"data asks for {signals.modality}, the dataset holds {', '.join(modalities)}; see preprocessing.modalities")


def _names(entry: ShardEntry, signals: Signals) -> set[str]:
    """Channels that are asked for; none of BOLD, whose regions or voxels only its file names."""
    if signals.modality not in entry.channels:
        return set()
    names = entry.channels[signals.modality]
    return {names[column] for column in _columns(signals, names, entry.types[signals.modality])}


def _columns(signals: Signals, names: tuple[str, ...], types: tuple[str, ...]) -> NDArray[np.int64]:
    if signals.channels == "all":
        return np.arange(len(names))
    if isinstance(signals.channels, str):
        columns = np.flatnonzero(np.array(types) == signals.channels)
        if not len(columns):
            raise UserError(
                f"data asks for {signals.channels} channels, the dataset's {signals.modality} has {', '.join(sorted(set(types)))}"
            )
        return columns
    # Voxels are many.
    known = set(names)
    for name in signals.channels:
        if name not in known:
            nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.0)[0]
            raise UserError(f"data asks for channel '{name}', which the dataset has not; the nearest is '{nearest}'")
    return np.flatnonzero(np.isin(names, signals.channels))
