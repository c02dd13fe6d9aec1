"""The one door to a fold's data."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache as remember
from pathlib import Path

import mne

from crossmodal.config import UserError
from crossmodal.config.data import Data
from crossmodal.datasets.batches import BatchReader
from crossmodal.datasets.channels import check_channels, columns_of
from crossmodal.datasets.entry import ShardEntry
from crossmodal.datasets.folds import Fold
from crossmodal.datasets.manifest import Manifest
from crossmodal.datasets.normaliser import fit_normaliser
from crossmodal.datasets.shard import Shard
from crossmodal.datasets.windows import make_windows
from crossmodal.storage.node_cache import NodeCache
from crossmodal.transforms.scaling import Normaliser


@dataclass(frozen=True)
class FoldData:
    """A fold opened on this node.

    Attributes
    ----------
    shards : tuple of Shard
        In the manifest's order.
    train, validation, test : BatchReader
    normaliser : Normaliser
        Fitted on the training role alone.
    source_names, target_names, target_types : tuple of str
        Channels in the order of batches.
    """

    fold: Fold
    shards: tuple[Shard, ...]
    train: BatchReader
    validation: BatchReader
    test: BatchReader
    normaliser: Normaliser
    source_names: tuple[str, ...]
    target_names: tuple[str, ...]
    target_types: tuple[str, ...]

    @property
    def n_source(self) -> int:
        """Number of source channels."""
        return len(self.source_names)

    @property
    def n_target(self) -> int:
        """Number of target channels."""
        return len(self.target_names)

    @property
    def n_times(self) -> int:
        """Samples a window."""
        return self.train.windows.n_times

    @property
    def sfreq(self) -> float:
        """Sampling rate, Hz."""
        return self.shards[0].sfreq

    def info(self, subject: str) -> mne.Info:
        """Describe a subject's sensors, as in its first recording."""
        return next(shard for shard in self.shards if shard.subject == subject).info()


def open_fold(manifest: Manifest, fold: Fold, data: Data, seed: int, cache: NodeCache) -> FoldData:
    """Fetch a fold's shards to this node, lay out its windows and fit its normaliser.

    Parameters
    ----------
    seed : int
        Deals the windows of a leaky fold out.
    cache : NodeCache
        Keep it open while the fold is used.

    Raises
    ------
    UserError
        A shard is damaged or not the one that the manifest names, data ask for channels that the dataset lacks or for one as
        source and target, or no window fits.
    """
    used = {part.subject for part in (*fold.train, *fold.validation, *fold.test)}
    entries = [entry for entry in manifest.entries if entry.subject in used]
    check_channels(entries[0], data)
    shards = _open_shards(entries, cache)
    source_names, target_names, target_types = _channels(shards[0], data)
    windows = {role: make_windows(shards, fold, role, data.windows, seed) for role in ("train", "validation", "test")}
    normaliser = fit_normaliser(shards, fold, windows["train"], data)
    readers = {role: BatchReader(shards, laid_out, data, normaliser) for role, laid_out in windows.items()}
    return FoldData(
        fold=fold,
        shards=shards,
        normaliser=normaliser,
        source_names=source_names,
        target_names=target_names,
        target_types=target_types,
        **readers,
    )


def _open_shards(entries: Sequence[ShardEntry], cache: NodeCache) -> tuple[Shard, ...]:
    folders = cache.fetch_all({entry.uri: entry.size_bytes for entry in entries})
    with ThreadPoolExecutor() as pool:
        shards = tuple(pool.map(_verified, folders))
    for shard, entry in zip(shards, entries, strict=True):
        if shard.entry.sha256 != entry.sha256:
            raise UserError(f"{shard.folder}: was replaced since the dataset was published; run jobs/preprocess.py again")
    return shards


# Each fold of a job opens most of the shards again, and to compare the checksum of one is to read all of it.
@remember
def _verified(folder: Path) -> Shard:
    return Shard.open(folder, verify=True)


def _channels(shard: Shard, data: Data) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Names of source and target channels, and types of the latter."""
    source, target = (columns_of(shard, signals) for signals in (data.source, data.target))
    source_names = tuple(shard.names(data.source.modality)[column] for column in source)
    target_names = tuple(shard.names(data.target.modality)[column] for column in target)
    return source_names, target_names, tuple(shard.types(data.target.modality)[column] for column in target)
