"""Fit baselines to the training role of a fold, which is read once for all of them."""

from collections.abc import Iterable, Mapping
from typing import cast

import numpy as np
import torch

from crossmodal.config.signal_spec import SignalPair
from crossmodal.datasets.feed import Batch, Feed
from crossmodal.models.base import Baseline, Statistics
from crossmodal.models.registry import ModelSpec

_BATCH_SIZE = 64


def fit_baselines(specs: Mapping[str, ModelSpec], signals: SignalPair, train: Feed, validation: Feed) -> dict[str, Baseline]:
    """Fit each baseline, by its title, in the units of the feeds; what it chooses, it chooses on the validation role."""
    baselines = {title: cast(Baseline, spec.build(signals)) for title, spec in specs.items()}
    training, choosing = (_statistics(baselines, feed) for feed in (train, validation))
    for title, baseline in baselines.items():
        baseline.solve(training[title], choosing[title])
    return baselines


def _statistics(baselines: Mapping[str, Baseline], feed: Feed) -> dict[str, Statistics]:
    return accumulated(baselines, ((batch, {}) for batch in feed.batches(_BATCH_SIZE, np.arange(len(feed)))))


def accumulated(baselines: Mapping[str, Baseline], batches: Iterable[tuple[Batch, Mapping[str, torch.Tensor]]]) -> dict[str, Statistics]:
    """Take in batches for all baselines, by name; each comes with what some of them, by name, read instead of its input."""
    statistics = {name: baseline.new_statistics() for name, baseline in baselines.items()}
    for batch, instead in batches:
        # Memory of a batch is used again, and baselines that keep targets share them.
        target_bst = batch.target_bst.clone()
        for name, of_baseline in statistics.items():
            of_baseline.accumulate(instead.get(name, batch.input_bct), target_bst)
    return statistics
