"""Choose the setting of a classical solver on validation heads."""

from collections.abc import Mapping

import numpy as np
import torch

from crossmodal.config.signal_spec import SignalPair
from crossmodal.datasets.feed import Feed
from crossmodal.models.base import Geometry, Tuned
from crossmodal.tasks.cortex.heads import SimulatedHead
from crossmodal.tasks.cortex.metrics import power_correlation
from crossmodal.transforms.scaling import Normaliser

# Of each validation head.
_SAMPLES = 200


@torch.no_grad()
def tune(baseline: Tuned, validation: Feed, heads: Mapping[str, SimulatedHead], signals: SignalPair, normaliser: Normaliser) -> None:
    """Choose the setting with the largest spatial PCC, and the gain with the least squared error.

    Spatial PCC, which no gain changes, is what solvers are compared with networks by.

    Parameters
    ----------
    baseline : Tuned
    validation : Feed
        The first 200 samples of each of its heads are read.
    heads : mapping of str to SimulatedHead
        By subject.
    signals : SignalPair
    normaliser : Normaliser
        Of the feed.
    """
    correlations: dict[float, list[float]] = {setting: [] for setting in baseline.settings}
    with_truth, with_itself = dict.fromkeys(baseline.settings, 0.0), dict.fromkeys(baseline.settings, 0.0)
    for subject in dict.fromkeys(validation.subjects.tolist()):
        models = baseline.for_each_setting(Geometry(heads[subject].info, signals, normaliser, average_reference=True))
        (batch,) = validation.batches(_SAMPLES, np.flatnonzero(validation.subjects == subject)[:_SAMPLES])
        for setting, model in models.items():
            predicted_bst = model(batch.input_bct)
            correlations[setting] += power_correlation(batch.target_bst.numpy(), predicted_bst.numpy()).tolist()
            with_truth[setting] += float((batch.target_bst * predicted_bst).sum())
            with_itself[setting] += float(predicted_bst.square().sum())
    best = max(baseline.settings, key=lambda setting: float(np.nanmean(correlations[setting])))
    baseline.choose(best, with_truth[best] / with_itself[best])
