"""Baselines of every fold, fitted from statistics of each subject that are read once."""

from functools import reduce
from operator import add
from threading import Lock
from typing import cast

import numpy as np
import torch

from crossmodal.config.channel_types import CHANNEL_TYPES
from crossmodal.config.data import Data
from crossmodal.config.evaluation import Evaluation
from crossmodal.config.models import ModelSettings
from crossmodal.datasets.batches import BatchReader
from crossmodal.datasets.opening import ShardFold
from crossmodal.datasets.physiology import PhysiologyReader, physiology_types, shared_physiology
from crossmodal.datasets.windows import WindowSet
from crossmodal.models.base import Baseline, Statistics
from crossmodal.models.registry import baseline_spec
from crossmodal.models.ridge import RidgeConfig
from crossmodal.tasks.sensors.scorecard import EYES_AND_HEART
from crossmodal.transforms.scaling import ChannelScaling, Normaliser

_BATCH_SIZE = 16


class BaselineFitter:
    """Fits the baselines of folds, which may be several at a time.

    Every fold has its own normaliser, so statistics in normalised units could not be summed. Baselines therefore work in units
    that are the same in all folds: fixed multiples of SI units, one a channel type, which are fitted to nothing.

    Parameters
    ----------
    evaluation : Evaluation
        Names the baselines to fit; the training mean is always among them, and so is what EOG and ECG alone predict, wherever all
        recordings of a fold have some of these channels in common.
    data : Data
        Names input and target channels.
    """

    def __init__(self, evaluation: Evaluation, data: Data) -> None:
        specs = [baseline_spec(settings) for settings in (ModelSettings(kind="training_mean"), *evaluation.baselines)]
        self._specs = {spec.config.title: spec for spec in specs}
        self._of_physiology = baseline_spec(evaluation.physiology, "evaluation.physiology")
        self._data = data
        self._known: dict[tuple[object, ...], list[Statistics]] = {}
        self._reading = Lock()

    def fit(self, fold: ShardFold) -> dict[str, Baseline]:
        """Fit each baseline, by its name, to the training windows of a fold; penalties are chosen on its validation windows."""
        baselines = {name: cast(Baseline, spec.build(fold.signals)) for name, spec in self._specs.items()}
        if names := shared_physiology(fold.shards):
            read = fold.signals.input.model_copy(update={"names": names, "types": physiology_types(fold.shards[0], names)})
            of_physiology = fold.signals.model_copy(update={"input": read})
            baselines[EYES_AND_HEART] = cast(Baseline, self._of_physiology.build(of_physiology))
        training, validation = (self._statistics(fold, role.windows, baselines) for role in (fold.train, fold.validation))
        for baseline, of_training, of_validation in zip(baselines.values(), training, validation, strict=True):
            baseline.solve(of_training, of_validation)
        return baselines

    def reader(self, fold: ShardFold, windows: WindowSet) -> BatchReader:
        """Read windows of a fold's shards in the units of baselines."""
        return BatchReader(fold.shards, windows, self._data, self.units(fold), fold.signals)

    def physiology(self, fold: ShardFold, windows: WindowSet) -> PhysiologyReader | None:
        """Read the EOG and ECG that all recordings of a fold have; None where there are none."""
        names = shared_physiology(fold.shards)
        return PhysiologyReader(fold.shards, windows, names) if names else None

    def physiology_lag(self, sfreq: float) -> int:
        """How far the map from EOG and ECG reaches to either side, in samples."""
        config = self._of_physiology.config
        assert isinstance(config, RidgeConfig), "checked when the experiment was loaded"
        return round(config.lag_s * sfreq)

    def units(self, fold: ShardFold, baseline: str = "") -> Normaliser:
        """Between SI units and those of baselines; EOG and ECG are read in the latter."""
        scalings = []
        for spec in (fold.signals.input, fold.signals.target):
            scale_c = torch.tensor([1 / CHANNEL_TYPES[kind].magnitude for kind in spec.types])
            scalings.append(ChannelScaling(torch.zeros_like(scale_c), scale_c))
        if baseline == EYES_AND_HEART:
            as_read_c = torch.ones(len(shared_physiology(fold.shards)))
            scalings[0] = ChannelScaling(torch.zeros_like(as_read_c), as_read_c)
        return Normaliser(*scalings)

    def _statistics(self, fold: ShardFold, windows: WindowSet, baselines: dict[str, Baseline]) -> list[Statistics]:
        """Statistics of some windows, a baseline each: the sum of those of subjects, each of which is read once for all folds."""
        subjects = np.array([fold.shards[index].subject for index in windows.shard_index])
        parts = [windows.subset(np.flatnonzero(subjects == subject)) for subject in np.unique(subjects)]
        by_subject = [self._of_subject(fold, part, baselines) for part in parts]
        return [reduce(add, of_baseline) for of_baseline in zip(*by_subject, strict=True)]

    def _of_subject(self, fold: ShardFold, windows: WindowSet, baselines: dict[str, Baseline]) -> list[Statistics]:
        recordings = tuple(fold.shards[index].entry.fingerprint for index in windows.shard_index)
        key = (recordings, windows.start.tobytes(), shared_physiology(fold.shards))
        with self._reading:
            if key not in self._known:
                physiology = self.physiology(fold, windows)
                statistics = {name: baseline.new_statistics() for name, baseline in baselines.items()}
                for batch in self.reader(fold, windows).batches(_BATCH_SIZE, np.arange(len(windows))):
                    for name, of_baseline in statistics.items():
                        read = physiology.read(batch.windows) if physiology and name == EYES_AND_HEART else batch.input_bct
                        of_baseline.accumulate(read, batch.target_bst)
                self._known[key] = list(statistics.values())
            return self._known[key]
