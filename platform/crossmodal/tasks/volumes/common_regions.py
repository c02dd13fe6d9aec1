"""Scores in the regions of one atlas, whatever the targets are, so that models of voxels, regions and maps can be compared.

Shape suffixes: v volume, s target, r region.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossmodal.config import Experiment, UserError
from crossmodal.config.bold import RegionTargets
from crossmodal.config.data import Signals
from crossmodal.datasets.manifest import load_latest
from crossmodal.datasets.opening import ShardFold, open_shards, spec_of
from crossmodal.datasets.shard import Shard
from crossmodal.storage.node_cache import NodeCache
from crossmodal.tasks.volumes.grid import regions_of, where_targets

_SETTING = "evaluation.regions"
_ALL = Signals(modality="bold")


class CommonRegions:
    """The regions of an atlas, and what was measured in them.

    The truth is the dataset of these regions, and not what an experiment's own targets keep of it: what maps cannot hold of a region is to
    count against them.

    Parameters
    ----------
    experiment : Experiment
    regions : RegionTargets
        Of its evaluation.

    Raises
    ------
    UserError
        The store holds no dataset of these regions.
    """

    def __init__(self, experiment: Experiment, regions: RegionTargets) -> None:
        self._targets, self._regions = experiment.preprocessing.bold.targets, regions
        bold = experiment.preprocessing.bold.model_copy(update={"targets": regions})
        preprocessing = experiment.preprocessing.model_copy(update={"bold": bold})
        try:
            self._manifest = load_latest(experiment.store, experiment.model_copy(update={"preprocessing": preprocessing}).dataset_recipe)
        except UserError as error:
            raise UserError(f"{_SETTING}: {error}, with preprocessing.bold.targets as these regions") from None
        self._cache = NodeCache(Path(experiment.node_cache.root), int(experiment.node_cache.max_gb * 1e9))

    def of_fold(self, fold: ShardFold) -> "FoldRegions":
        """Open the test recordings of a fold with regions for targets.

        Raises
        ------
        UserError
            The dataset of regions lacks one or has other volumes of it, or no target lies in a region.
        """
        known = {(entry.subject, entry.session, entry.run): entry for entry in self._manifest.entries}
        tested = {int(index): fold.shards[index] for index in np.unique(fold.test.windows.shard_index)}
        missing = [own for own in tested.values() if (own.subject, own.session, own.run) not in known]
        if missing:
            raise _unlike(missing[0], "is not in the dataset of these regions")
        opened = open_shards([known[own.subject, own.session, own.run] for own in tested.values()], self._cache)
        for own, shard in zip(tested.values(), opened, strict=True):
            if not np.array_equal(own.volumes.onset_s, shard.volumes.onset_s):
                raise _unlike(own, "has other volumes in the dataset of these regions")
        names, target = opened[0].volumes.target_names, fold.signals.target
        where = where_targets(self._targets, target, fold.shards[0].volumes.stored)
        weights_sr = region_weights(where, regions_of(self._regions, spec_of(opened[0], _ALL, 1)), target.n_channels)
        if (empty := np.flatnonzero(~weights_sr.any(axis=0))).size:
            raise UserError(f"{_SETTING}: no target lies in region '{names[empty[0]]}'; choose targets that reach it")
        return FoldRegions(dict(zip(tested, opened, strict=True)), weights_sr)


@dataclass(frozen=True)
class FoldRegions:
    """Test recordings of a fold in common regions.

    Attributes
    ----------
    shards : dict of int to Shard
        The recordings with regions for targets, by their position among the fold's own shards.
    weights_sr : float32 array, shape (n_targets, n_regions)
        How each region follows from the fold's targets.
    """

    shards: dict[int, Shard]
    weights_sr: NDArray[np.float32]


def region_weights(where: NDArray[Any], regions: NDArray[np.int32], n_targets: int) -> NDArray[np.float32]:
    """Average targets over the voxels of each region.

    Parameters
    ----------
    where : int array, shape (X, Y, Z), or float array, shape (X, Y, Z, n_targets)
        Numbers of targets, from 1, 0 where there is none; or weights of maps, which add up.
    regions : int array, shape (X, Y, Z)
        Numbers of regions likewise, none without a voxel.
    n_targets : int

    Returns
    -------
    float32 array, shape (n_targets, n_regions)
        Of numbered targets, over the voxels that any target has; all zero where no target lies in a region.
    """
    n_regions = int(regions.max())
    if where.ndim == 4:
        return np.stack([where[regions == number].mean(axis=0, dtype=np.float32) for number in range(1, n_regions + 1)], axis=1)
    counts_sr = np.zeros((n_targets + 1, n_regions), dtype=np.float32)
    np.add.at(counts_sr, (where[regions > 0], regions[regions > 0] - 1), 1)
    counts_sr = counts_sr[1:]
    return counts_sr / np.maximum(counts_sr.sum(axis=0), 1)


def _unlike(own: Shard, why: str) -> UserError:
    return UserError(f"{_SETTING}: sub-{own.subject} run {own.run} {why}; run jobs/preprocess.py for both alike")
