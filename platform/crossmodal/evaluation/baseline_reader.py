"""What baselines read of a fold, in units that are the same in all folds."""

from collections.abc import Iterator, Mapping
from typing import cast

import numpy as np
import torch

from crossmodal.config.channel_types import CHANNEL_TYPES
from crossmodal.config.evaluation import Evaluation
from crossmodal.config.models import ModelSettings
from crossmodal.config.signal_spec import SignalPair, SignalSpec
from crossmodal.datasets.batches import BatchReader
from crossmodal.datasets.feed import Batch
from crossmodal.datasets.opening import ShardFold
from crossmodal.datasets.windows import WindowSet
from crossmodal.models.base import Baseline
from crossmodal.models.registry import baseline_spec
from crossmodal.transforms.scaling import ChannelScaling, Normaliser

_BATCH_SIZE = 16


class BaselineReader:
    """Builds the baselines of folds, and reads windows for them.

    Every fold has its own normaliser, so statistics in normalised units could not be summed. Baselines therefore work in units
    that are the same in all folds: fixed multiples of SI units, one a channel type, which are fitted to nothing.

    Parameters
    ----------
    evaluation : Evaluation
        Names the baselines; the training mean is always among them.
    """

    def __init__(self, evaluation: Evaluation) -> None:
        specs = [baseline_spec(settings) for settings in (ModelSettings(kind="training_mean"), *evaluation.baselines)]
        self._specs = {spec.config.title: spec for spec in specs}

    def build(self, fold: ShardFold) -> dict[str, Baseline]:
        """Make the baselines of a fold, by name, not yet fitted."""
        return {name: cast(Baseline, spec.build(fold.signals)) for name, spec in self._specs.items()}

    def beside(self, fold: ShardFold) -> tuple[str, ...]:
        """Name the channels that some baselines read instead of the input; here there are none."""
        del fold
        return ()

    def units(self, fold: ShardFold, baseline: str) -> Normaliser:
        """Between SI units and those of a baseline."""
        del baseline
        return fixed_units(fold.signals)

    def reader(self, fold: ShardFold, windows: WindowSet) -> BatchReader:
        """Read windows of a fold's shards in the units of baselines."""
        return BatchReader(fold.shards, windows, fold.data, fixed_units(fold.signals), fold.signals)

    def batches(self, fold: ShardFold, windows: WindowSet) -> Iterator[tuple[Batch, Mapping[str, torch.Tensor]]]:
        """Yield windows in their order, each batch with what some baselines, by name, read instead of its input; here nothing."""
        for batch in self.reader(fold, windows).batches(_BATCH_SIZE, np.arange(len(windows))):
            yield batch, {}


def fixed_units(signals: SignalPair) -> Normaliser:
    """Between SI units and fixed multiples of them, which are fitted to nothing."""
    return Normaliser(_fixed(signals.input), _fixed(signals.target))


def _fixed(spec: SignalSpec) -> ChannelScaling:
    scale_c = torch.tensor([1 / CHANNEL_TYPES[kind].magnitude for kind in spec.types])
    return ChannelScaling(torch.zeros_like(scale_c), scale_c)
