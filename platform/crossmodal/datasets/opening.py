"""The one door to a fold's data."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache as remember
from pathlib import Path

import mne
import numpy as np

from crossmodal.config import Experiment, UserError
from crossmodal.config.data import Data, Signals, VolumeWindows
from crossmodal.config.signal_spec import SignalPair, SignalSpec, Voxels
from crossmodal.datasets.batches import BatchReader
from crossmodal.datasets.channels import check_channels, columns_of
from crossmodal.datasets.entry import ShardEntry
from crossmodal.datasets.fold_data import FoldData
from crossmodal.datasets.folds import Fold
from crossmodal.datasets.manifest import Manifest, load_latest
from crossmodal.datasets.normaliser import fit_normaliser
from crossmodal.datasets.shard import Shard
from crossmodal.datasets.training_signal import TrainingSignal
from crossmodal.datasets.windows import WindowSet, check_scan, make_windows
from crossmodal.storage.node_cache import NodeCache


@dataclass(frozen=True)
class ShardFold(FoldData):
    """A fold whose windows lie in shards.

    Attributes
    ----------
    shards : tuple of Shard
        In the manifest's order.
    data : Data
        What is read of them: as the experiment says, without voxels that never change in the training recordings.
    """

    train: BatchReader
    validation: BatchReader
    test: BatchReader
    shards: tuple[Shard, ...]
    data: Data

    def info(self, subject: str) -> mne.Info:
        """Describe a subject's sensors, as in its first recording."""
        return next(shard for shard in self.shards if shard.subject == subject).info()


def find_shards(experiment: Experiment) -> Manifest:
    """Look up the dataset of an experiment's recordings.

    Raises
    ------
    UserError
        The store holds no such dataset, the channels do not go with it, or a scan is shorter than a window.
    """
    manifest = load_latest(experiment.store, experiment.dataset_recipe)
    check_channels(manifest.entries[0], experiment.data)
    if isinstance(experiment.data.windows, VolumeWindows):
        for entry in manifest.entries:
            check_scan(entry, experiment.data.windows)
    return manifest


def open_fold(manifest: Manifest, fold: Fold, data: Data, seed: int, cache: NodeCache) -> ShardFold:
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
        input and target, or no window fits.
    """
    used = {part.subject for part in (*fold.train, *fold.validation, *fold.test)}
    entries = [entry for entry in manifest.entries if entry.subject in used]
    check_channels(entries[0], data)
    shards = open_shards(entries, cache)
    windows = {role: make_windows(shards, fold, role, data.windows, seed) for role in ("train", "validation", "test")}
    target = TrainingSignal.of(shards, fold, windows["train"].of_targets, data.target).changing()
    data = data.model_copy(update={"target": target})
    normaliser = fit_normaliser(shards, fold, windows["train"], data)
    signals = SignalPair(
        input=spec_of(shards[0], data.input, windows["train"].n_times),
        target=_with_brain(spec_of(shards[0], data.target, windows["train"].of_targets.n_times), shards, windows["train"]),
    )
    readers = {role: BatchReader(shards, laid_out, data, normaliser, signals) for role, laid_out in windows.items()}
    return ShardFold(
        fold=fold,
        shards=shards,
        data=data,
        normaliser=normaliser,
        recorded_names=shards[0].names(data.input.modality),
        signals=signals,
        **readers,
    )


def open_shards(entries: Sequence[ShardEntry], cache: NodeCache) -> tuple[Shard, ...]:
    """Fetch shards to this node; raises UserError where one is damaged or not the one that the manifest names."""
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


def spec_of(shard: Shard, signals: Signals, n_times: int) -> SignalSpec:
    """Describe windows of some channels; all shards of a dataset have the same ones."""
    columns = columns_of(shard, signals)
    names, types = (
        tuple(of_all[column] for column in columns) for of_all in (shard.names(signals.modality), shard.types(signals.modality))
    )
    sfreq = shard.rate_hz(signals.modality)
    return SignalSpec(names=names, types=types, sfreq=sfreq, n_times=n_times, space=shard.space(signals.modality))


def _with_brain(target: SignalSpec, shards: Sequence[Shard], training: WindowSet) -> SignalSpec:
    """Say which voxels are brain in some training recording; other targets stay as they are."""
    if not isinstance(target.space, Voxels):
        return target
    brain = np.any([shards[index].volumes.brain for index in np.unique(training.shard_index)], axis=0)
    return target.model_copy(update={"space": Voxels.of(target.space.mask, target.space.affine, brain)})
