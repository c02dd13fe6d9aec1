"""Baselines of every fold, fitted from statistics of each subject that are read once."""

from functools import reduce
from operator import add
from threading import Lock
from typing import cast

import numpy as np
import torch

from crossmodal.config import Experiment
from crossmodal.config.channel_types import CHANNEL_TYPES
from crossmodal.config.models import ModelSettings
from crossmodal.config.signal_spec import SignalPair, SignalSpec
from crossmodal.datasets.batches import BatchReader
from crossmodal.datasets.opening import ShardFold
from crossmodal.datasets.windows import WindowSet
from crossmodal.models.base import Baseline, Statistics
from crossmodal.models.predictor import Predictor
from crossmodal.models.registry import baseline_spec
from crossmodal.transforms.scaling import ChannelScaling, Normaliser

_BATCH_SIZE = 64


class BaselineFitter:
    """Fits the baselines of folds, which may be several at a time, in units that are the same in all folds, so that statistics sum.

    Parameters
    ----------
    experiment : Experiment
        Names the baselines to fit; the training mean is always among them.
    """

    def __init__(self, experiment: Experiment) -> None:
        specs = [baseline_spec(settings) for settings in (ModelSettings(kind="training_mean"), *experiment.evaluation.baselines)]
        self._specs = {spec.config.title: spec for spec in specs}
        self._data = experiment.data
        self._known: dict[tuple[object, ...], list[Statistics]] = {}
        self._reading = Lock()

    def fit(self, fold: ShardFold) -> dict[str, Predictor]:
        """Fit each baseline, by its name, to the training windows of a fold; penalties are chosen on its validation windows."""
        baselines = {name: cast(Baseline, spec.build(fold.signals)) for name, spec in self._specs.items()}
        training, validation = (self._statistics(fold, role.windows, baselines) for role in (fold.train, fold.validation))
        for baseline, of_training, of_validation in zip(baselines.values(), training, validation, strict=True):
            baseline.solve(of_training, of_validation)
        return {name: Predictor(baseline, fixed_units(fold.signals)) for name, baseline in baselines.items()}

    def _statistics(self, fold: ShardFold, windows: WindowSet, baselines: dict[str, Baseline]) -> list[Statistics]:
        """Statistics of some windows, a baseline each: the sum of those of recordings, each of which is read once for all folds."""
        parts = [windows.subset(np.flatnonzero(windows.shard_index == index)) for index in np.unique(windows.shard_index)]
        by_recording = [self._of_recording(fold, part, baselines) for part in parts]
        return [reduce(add, of_baseline) for of_baseline in zip(*by_recording, strict=True)]

    def _of_recording(self, fold: ShardFold, windows: WindowSet, baselines: dict[str, Baseline]) -> list[Statistics]:
        key = (fold.shards[windows.shard_index[0]].entry.fingerprint, windows.start.tobytes())
        with self._reading:
            if key not in self._known:
                statistics = [baseline.new_statistics() for baseline in baselines.values()]
                reader = BatchReader(fold.shards, windows, self._data, fixed_units(fold.signals), fold.signals)
                for batch in reader.batches(_BATCH_SIZE, np.arange(len(windows))):
                    for of_baseline in statistics:
                        of_baseline.accumulate(batch.input_bct, batch.target_bst)
                self._known[key] = statistics
            return self._known[key]


def fixed_units(signals: SignalPair) -> Normaliser:
    """Between SI units and fixed multiples of them, which are fitted to nothing."""
    return Normaliser(_fixed(signals.input), _fixed(signals.target))


def _fixed(spec: SignalSpec) -> ChannelScaling:
    scale_c = torch.tensor([1 / CHANNEL_TYPES[kind].magnitude for kind in spec.types])
    return ChannelScaling(torch.zeros_like(scale_c), scale_c)
