"""What baselines of sensors read: the input, and for one of them EOG and ECG."""

from collections.abc import Iterator, Mapping
from typing import cast

import torch

from crossmodal.config.evaluation import Evaluation
from crossmodal.datasets.feed import Batch
from crossmodal.datasets.opening import ShardFold
from crossmodal.datasets.physiology import PhysiologyReader, physiology_types, shared_physiology
from crossmodal.datasets.windows import WindowSet
from crossmodal.evaluation.baseline_reader import BaselineReader
from crossmodal.models.base import Baseline
from crossmodal.models.registry import baseline_spec
from crossmodal.models.ridge import RidgeConfig
from crossmodal.tasks.sensors.scorecard import EYES_AND_HEART
from crossmodal.transforms.scaling import ChannelScaling, Normaliser


class SensorsReader(BaselineReader):
    """Adds to the baselines what EOG and ECG alone predict, wherever all recordings of a fold have some of these channels in common."""

    def __init__(self, evaluation: Evaluation) -> None:
        super().__init__(evaluation)
        self._of_physiology = baseline_spec(evaluation.physiology, "evaluation.physiology")

    def build(self, fold: ShardFold) -> dict[str, Baseline]:
        """Make the baselines of a fold, by name, not yet fitted."""
        baselines = super().build(fold)
        if names := self.beside(fold):
            read = fold.signals.input.model_copy(update={"names": names, "types": physiology_types(fold.shards[0], names)})
            of_physiology = fold.signals.model_copy(update={"input": read})
            baselines[EYES_AND_HEART] = cast(Baseline, self._of_physiology.build(of_physiology))
        return baselines

    def beside(self, fold: ShardFold) -> tuple[str, ...]:
        """Name the EOG and ECG channels that all recordings of a fold have."""
        return shared_physiology(fold.shards)

    def units(self, fold: ShardFold, baseline: str) -> Normaliser:
        """Between SI units and those of a baseline; EOG and ECG are read in the latter."""
        units = super().units(fold, baseline)
        if baseline != EYES_AND_HEART:
            return units
        as_read_c = torch.ones(len(self.beside(fold)))
        return Normaliser(ChannelScaling(torch.zeros_like(as_read_c), as_read_c), units.target)

    def batches(self, fold: ShardFold, windows: WindowSet) -> Iterator[tuple[Batch, Mapping[str, torch.Tensor]]]:
        """Yield windows in their order, each batch with its EOG and ECG."""
        physiology = self.physiology(fold, windows)
        for batch, _ in super().batches(fold, windows):
            yield batch, {EYES_AND_HEART: physiology.read(batch.windows)} if physiology else {}

    def physiology(self, fold: ShardFold, windows: WindowSet) -> PhysiologyReader | None:
        """Read the EOG and ECG that all recordings of a fold have; None where there are none."""
        names = self.beside(fold)
        return PhysiologyReader(fold.shards, windows, names) if names else None

    def physiology_lag(self, sfreq: float) -> int:
        """How far the map from EOG and ECG reaches to either side, in samples."""
        config = self._of_physiology.config
        assert isinstance(config, RidgeConfig), "checked when the experiment was loaded"
        return round(config.lag_s * sfreq)
