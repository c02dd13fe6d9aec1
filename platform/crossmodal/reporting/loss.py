"""How training and validation loss fell in each fold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from crossmodal.reporting.style import MODEL, SECOND, drawing


@dataclass(frozen=True)
class Losses:
    """Losses of one fold after each epoch, in normalised units squared."""

    training: Sequence[float]
    validation: Sequence[float]


def draw_losses(folds: Mapping[str, Losses]) -> Figure:
    """Draw both losses of every fold, with the epoch chosen on validation subjects marked."""
    with drawing(6.4, 2.6) as figure:
        left, right = figure.subplots(1, 2, sharey=True)
        for axis, title, colour in ((left, "training", MODEL), (right, "validation", SECOND)):
            curves = [fold.training if axis is left else fold.validation for fold in folds.values()]
            for curve in curves:
                axis.plot(np.arange(1, len(curve) + 1), curve, color=colour, alpha=0.35 if len(curves) > 1 else 1)
            if len(curves) > 1 and len({len(curve) for curve in curves}) == 1:
                axis.plot(np.arange(1, len(curves[0]) + 1), np.mean(curves, axis=0), color=colour, linewidth=2, label="mean of folds")
            axis.set(title=title, xlabel="epoch")
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        best = [(int(np.argmin(fold.validation)) + 1, min(fold.validation)) for fold in folds.values()]
        right.plot(*zip(*best, strict=True), "o", color=SECOND, markersize=4, linestyle="none", label="epoch kept")
        left.set(ylabel="mean squared error (normalised)")
        for axis in (left, right):
            if axis.get_legend_handles_labels()[0]:
                axis.legend()
        return figure
