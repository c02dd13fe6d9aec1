"""What the training role of a fold reads of one signal: all that scaling may learn from."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.config.data import Signals
from crossmodal.config.signal_spec import Sensors, Space, Voxels
from crossmodal.datasets.channels import blocks_of, columns_of
from crossmodal.datasets.folds import Fold
from crossmodal.datasets.quantiles import quantiles
from crossmodal.datasets.shard import Shard
from crossmodal.datasets.statistics import ChannelStatistics, merge_all
from crossmodal.datasets.windows import WindowSet

_LOG = logging.getLogger(__name__)
# Samples looked at at once for quartiles, which are found to a millionth of a channel's range.
_BLOCK = 65536
_RESOLUTION = 1e-5
_MOST_NAMED = 10


@dataclass(frozen=True)
class TrainingSignal:
    """What the training role reads of one signal.

    Attributes
    ----------
    shards : sequence of Shard
        Those `windows` refers to.
    windows : WindowSet
        The training windows, in rows of the signal's own file.
    signals : Signals
        Modality and channels.
    whole : bool
        The role takes all good samples of its recordings; otherwise those that windows cover.
    """

    shards: Sequence[Shard]
    windows: WindowSet
    signals: Signals
    whole: bool

    @classmethod
    def of(cls, shards: Sequence[Shard], fold: Fold, windows: WindowSet, signals: Signals) -> Self:
        """Find out whether a fold's training role takes whole recordings; parameters as above."""
        whole = fold.leaky is None and all(part.start_s is None and part.stop_s is None for part in fold.train)
        return cls(shards, windows, signals, whole)

    @property
    def _space(self) -> Space:
        return self.shards[0].space(self.signals.modality)

    def changing(self) -> Signals:
        """Leave out voxels that never change, as where no scanner reached or the background was blanked; other channels stay.

        There is nothing to learn of such a voxel, and no scale to score an error by.
        """
        if not isinstance(self._space, Voxels):
            return self.signals
        columns, measured = columns_of(self.shards[0], self.signals), self._measured()
        kept = columns[measured.min < measured.max]
        if len(kept) in (0, len(columns)):
            return self.signals
        _LOG.info("%d of %d voxels never change in the training recordings and are left out", len(columns) - len(kept), len(columns))
        names = self.shards[0].names(self.signals.modality)
        return self.signals.model_copy(update={"channels": tuple(names[column] for column in kept)})

    def statistics(self) -> ChannelStatistics:
        """Moments and extremes of channels that all vary."""
        merged = self._measured()
        self._refuse(merged.min == merged.max, "never change in the training recordings; leave them out of data.input or data.target")
        return merged

    def _measured(self) -> ChannelStatistics:
        columns = columns_of(self.shards[0], self.signals)
        read = np.unique(self.windows.shard_index)
        if self.whole:
            measured = (self.shards[index].statistics(self.signals.modality).select(columns) for index in read)
        else:
            # Sensors alone are whitened; voxels would be too many.
            pairs = isinstance(self._space, Sensors)
            measured = (ChannelStatistics.of(*self._samples(index), pairs=pairs) for index in read)
        return merge_all(measured, len(columns))

    def quartiles(self, statistics: ChannelStatistics) -> NDArray[np.float64]:
        """First quartile, median and third, shape (3, C), SI units."""
        found = quantiles(self._blocks, statistics.min, statistics.max, (0.25, 0.5, 0.75))
        still = found[2] - found[0] <= (statistics.max - statistics.min) * _RESOLUTION
        self._refuse(still, "stay at one value for half the training recordings; scale by zscore or leave them out")
        return found

    def _refuse(self, flat_c: NDArray[np.bool_], why: str) -> None:
        names = self.shards[0].names(self.signals.modality)
        flat = [names[column] for column in columns_of(self.shards[0], self.signals)[flat_c]]
        if flat:
            # Voxels may be thousands.
            others = f" and {len(flat) - _MOST_NAMED} others" if len(flat) > _MOST_NAMED else ""
            raise UserError(f"{', '.join(flat[:_MOST_NAMED])}{others} {why}")

    def _samples(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Samples of a shard, shape (T, C), and which of them count, each once."""
        shard = self.shards[index]
        parts = [shard.signal(self.signals.modality)[block.kind][:, block.inside] for block in blocks_of(shard, self.signals)]
        data_tc = parts[0] if len(parts) == 1 else np.hstack(parts)
        if self.whole:
            return data_tc, shard.good_rows(self.signals.modality)
        covered = np.zeros(len(data_tc), dtype=bool)
        for start in self.windows.start[self.windows.shard_index == index]:
            covered[start : start + self.windows.n_times] = True
        return data_tc, covered

    def _blocks(self) -> Iterator[NDArray[np.float32]]:
        for index in np.unique(self.windows.shard_index):
            data_tc, counted = self._samples(index)
            for start in range(0, len(data_tc), _BLOCK):
                block = slice(start, start + _BLOCK)
                yield data_tc[block][counted[block]]
