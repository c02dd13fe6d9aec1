"""The one door to a fold's data."""

from dataclasses import dataclass

import mne

from crossmodal.config.data import Data
from crossmodal.datasets.batches import BatchReader
from crossmodal.datasets.channels import columns_of
from crossmodal.datasets.folds import Fold
from crossmodal.datasets.manifest import Manifest
from crossmodal.datasets.normaliser import Normaliser, fit_normaliser
from crossmodal.datasets.shard import Shard
from crossmodal.datasets.windows import make_windows
from crossmodal.storage.node_cache import NodeCache


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
        Data asks for channels that the dataset lacks, or no window fits.
    """
    used = {part.subject for part in (*fold.train, *fold.validation, *fold.test)}
    entries = [entry for entry in manifest.entries if entry.subject in used]
    folders = cache.fetch_all({entry.uri: entry.size_bytes for entry in entries})
    shards = tuple(Shard.open(folder) for folder in folders)
    windows = {role: make_windows(shards, fold, role, data.windows, seed) for role in ("train", "validation", "test")}
    normaliser = fit_normaliser(shards, fold, windows["train"], data)
    readers = {role: BatchReader(shards, laid_out, data, normaliser) for role, laid_out in windows.items()}
    source, target = (columns_of(shards[0], signals) for signals in (data.source, data.target))
    return FoldData(
        fold=fold,
        shards=shards,
        normaliser=normaliser,
        source_names=tuple(shards[0].names(data.source.modality)[column] for column in source),
        target_names=tuple(shards[0].names(data.target.modality)[column] for column in target),
        target_types=tuple(shards[0].types(data.target.modality)[column] for column in target),
        **readers,
    )
