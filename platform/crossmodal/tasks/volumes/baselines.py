"""What baselines of volumes read: the input, or what heart, breath, head movement or BOLD as a whole do at each volume."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from crossmodal.config.data import Data
from crossmodal.config.evaluation import Evaluation
from crossmodal.datasets.channels import columns_of
from crossmodal.datasets.feed import Batch
from crossmodal.datasets.opening import ShardFold
from crossmodal.datasets.shard import Shard
from crossmodal.datasets.windows import WindowSet
from crossmodal.evaluation.baseline_reader import BaselineReader
from crossmodal.models.base import Baseline
from crossmodal.models.feature_ridge import FeatureRidge, FeatureRidgeConfig
from crossmodal.tasks.volumes.physiology import body, global_signal
from crossmodal.transforms.scaling import ChannelScaling, Normaliser

GLOBAL_ALONE = "global signal alone"


class VolumesReader(BaselineReader):
    """Adds to the baselines what heart rate, respiration and head movement alone predict, each wherever all recordings of a fold have it.

    So it does with the global signal, which is that of the tested scan itself: an oracle.

    Parameters
    ----------
    evaluation : Evaluation
    data : Data
        Names the targets that the global signal is the mean of.
    """

    def __init__(self, evaluation: Evaluation, data: Data) -> None:
        super().__init__(evaluation)
        self._data = data
        self._known: dict[Shard, dict[str, NDArray[np.float64]]] = {}

    def build(self, fold: ShardFold) -> dict[str, Baseline]:
        """Make the baselines of a fold, by name, not yet fitted."""
        counts = {name: self._regressors(fold.shards[0])[name].shape[1] for name in self.beside(fold)}
        return super().build(fold) | {name: _OnRegressors(FeatureRidgeConfig(), fold.signals, count) for name, count in counts.items()}

    def beside(self, fold: ShardFold) -> tuple[str, ...]:
        """Name the baselines that read regressors instead of the input."""
        recorded = [self._regressors(shard) for shard in fold.shards]
        return tuple(name for name in recorded[0] if all(name in of_shard for of_shard in recorded))

    def units(self, fold: ShardFold, baseline: str) -> Normaliser:
        """Between SI units and those of a baseline; regressors are read as they are."""
        units = super().units(fold, baseline)
        if baseline not in self.beside(fold):
            return units
        as_read_k = torch.ones(self._regressors(fold.shards[0])[baseline].shape[1])
        return Normaliser(ChannelScaling(torch.zeros_like(as_read_k), as_read_k), units.target)

    def batches(self, fold: ShardFold, windows: WindowSet) -> Iterator[tuple[Batch, Mapping[str, torch.Tensor]]]:
        """Yield windows in their order, each batch with the regressors of its volumes."""
        for batch, _ in super().batches(fold, windows):
            yield batch, self.instead(fold, windows.subset(batch.windows))

    def instead(self, fold: ShardFold, windows: WindowSet) -> dict[str, torch.Tensor]:
        """What some baselines, by name, read instead of the input of windows, shapes (windows, regressors, 1)."""
        assert windows.volume is not None
        recorded = [(self._regressors(fold.shards[index]), row) for index, row in zip(windows.shard_index, windows.volume, strict=True)]
        rows = {name: np.stack([of_shard[name][row] for of_shard, row in recorded]) for name in self.beside(fold)}
        return {name: torch.from_numpy(of_name).float()[..., None] for name, of_name in rows.items()}

    def _regressors(self, shard: Shard) -> dict[str, NDArray[np.float64]]:
        """Regressors at each volume, by the name of the baseline that reads them, shapes (n_volumes, n_regressors)."""
        if shard not in self._known:
            alone = {f"{group} alone": regressors.values_vk for group, regressors in body(shard).items()}
            columns = columns_of(shard, self._data.target)
            self._known[shard] = alone | {GLOBAL_ALONE: global_signal(shard, columns)[:, None]}
        return self._known[shard]


class _OnRegressors(FeatureRidge):
    """Ridge regression on what is read instead of the input."""

    def features(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Take regressors as they are."""
        return x_bct.flatten(1)
