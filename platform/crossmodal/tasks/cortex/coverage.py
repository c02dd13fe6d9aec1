"""How often the intervals that a model gives hold the moments of regions.

Shape suffixes: b sample, r region, t time.
"""

from collections.abc import Iterable

import numpy as np
import torch

from crossmodal.models.predictor import Predictor
from crossmodal.tasks.cortex.metrics import active_regions
from crossmodal.transforms.otsu import above_otsu

COVERAGE, OF_LABELLED = "coverage", "coverage_labelled"


def coverage(predictor: Predictor, batches: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> dict[str, float]:
    """Share of moments that lie inside the intervals of one head.

    Parameters
    ----------
    predictor : Predictor
        Of that head; its model is an `Uncertain` one.
    batches : iterable of (Tensor, Tensor)
        EEG (batch, n_electrodes, n_times) in V and true moments (batch, n_regions, n_times) in A m.

    Returns
    -------
    dict of str to float
        'coverage' is over the regions that the model calls active, those above Otsu's threshold; 'coverage_labelled' is over the regions
        that are active in truth. Choosing regions by the truth chooses those that were missed, too, so that even an exact posterior holds
        less than its level there. NaN without any region.
    """
    inside: dict[str, list[np.ndarray]] = {COVERAGE: [], OF_LABELLED: []}
    for x_bct, truth_brt in batches:
        own, _ = predictor.bounds(x_bct)
        inside_brt = ((truth_brt >= own.lower_bst) & (truth_brt <= own.upper_bst)).numpy()
        middle_brt = (own.lower_bst + own.upper_bst).numpy() / 2
        called_br = above_otsu(np.sqrt(np.mean(middle_brt.astype(np.float64) ** 2, axis=2)))
        for name, chosen_br in ((COVERAGE, called_br), (OF_LABELLED, active_regions(truth_brt.numpy()))):
            inside[name].append(inside_brt[chosen_br].mean(axis=1))
    return {name: float(np.concatenate(shares).mean()) if any(map(len, shares)) else float("nan") for name, shares in inside.items()}
