"""Baselines of every fold, fitted from statistics of each subject that are read once."""

from functools import reduce
from operator import add
from threading import Lock

import numpy as np

from crossmodal.datasets.opening import ShardFold
from crossmodal.datasets.windows import WindowSet
from crossmodal.evaluation.baseline_reader import BaselineReader
from crossmodal.evaluation.fitting import accumulated
from crossmodal.models.base import Baseline, Calibrated, Model, Statistics


class BaselineFitter:
    """Fits the baselines of folds, which may be several at a time.

    Parameters
    ----------
    reader : BaselineReader
        Of the task: which baselines there are, and what they read.
    """

    def __init__(self, reader: BaselineReader) -> None:
        self._reader = reader
        self._known: dict[tuple[object, ...], list[Statistics]] = {}
        self._reading = Lock()

    def fit(self, fold: ShardFold) -> dict[str, Baseline]:
        """Fit each baseline, by its name, to the training windows of a fold; penalties are chosen on its validation windows."""
        baselines = self._reader.build(fold)
        training, validation = (self._statistics(fold, role.windows, baselines) for role in (fold.train, fold.validation))
        for baseline, of_training, of_validation in zip(baselines.values(), training, validation, strict=True):
            baseline.solve(of_training, of_validation)
        return baselines

    def calibrated(self, fold: ShardFold, windows: WindowSet, baselines: dict[str, Baseline]) -> dict[str, Model]:
        """Give those of a fold's baselines that are fitted to a subject's own input, for the one subject of some windows."""
        if not any(isinstance(baseline, Calibrated) for baseline in baselines.values()):
            return {}
        of_baselines = zip(baselines.items(), self._of_subject(fold, windows, baselines), strict=True)
        return {name: baseline.calibrated(own) for (name, baseline), own in of_baselines if isinstance(baseline, Calibrated)}

    def _statistics(self, fold: ShardFold, windows: WindowSet, baselines: dict[str, Baseline]) -> list[Statistics]:
        """Statistics of some windows, a baseline each: the sum of those of subjects, each of which is read once for all folds."""
        subjects = np.array([fold.shards[index].subject for index in windows.shard_index])
        parts = [windows.subset(np.flatnonzero(subjects == subject)) for subject in np.unique(subjects)]
        by_subject = [self._of_subject(fold, part, baselines) for part in parts]
        return [reduce(add, of_baseline) for of_baseline in zip(*by_subject, strict=True)]

    def _of_subject(self, fold: ShardFold, windows: WindowSet, baselines: dict[str, Baseline]) -> list[Statistics]:
        recordings = tuple(fold.shards[index].entry.fingerprint for index in windows.shard_index)
        key = (recordings, windows.start.tobytes(), self._reader.beside(fold), fold.data.target)
        with self._reading:
            if key not in self._known:
                statistics = accumulated(baselines, self._reader.batches(fold, windows))
                self._known[key] = [_of_subject(baselines[name], of_baseline) for name, of_baseline in statistics.items()]
            return self._known[key]


def _of_subject(baseline: Baseline, statistics: Statistics) -> Statistics:
    return baseline.of_subject(statistics) if isinstance(baseline, Calibrated) else statistics
