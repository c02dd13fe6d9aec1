"""Figures of a fold: what regions did and were predicted to do in one sample, and how much of each region is explained."""

import numpy as np
from matplotlib.figure import Figure

from crossmodal.config.channel_types import CHANNEL_TYPES
from crossmodal.reporting.style import MODEL, TRUTH, drawing
from crossmodal.tasks.cortex.evaluator import CortexDetail

_SHOWN = 3


def draw_waveforms(detail: CortexDetail, subject: str, predictor: str) -> Figure:
    """Draw the strongest regions of the first samples of a subject, a row a sample: the true moment and the predicted one."""
    examples, traits = detail.examples_brt[subject], CHANNEL_TYPES["cortex"]
    truth_brt, predicted_brt = examples["truth"], examples[predictor]
    time_s = np.arange(truth_brt.shape[2]) / detail.sfreq
    with drawing(7.2, 1.5 * len(truth_brt)) as figure:
        axes = figure.subplots(len(truth_brt), _SHOWN, sharex=True, squeeze=False)
        for row, truth_rt, predicted_rt in zip(axes, truth_brt, predicted_brt, strict=True):
            strongest = np.argsort(-np.square(truth_rt).sum(axis=1) - 1e-3 * np.square(predicted_rt).sum(axis=1))[:_SHOWN]
            for axis, region in zip(row, strongest, strict=True):
                axis.plot(time_s, traits.shown_scale * truth_rt[region], color=TRUTH, linewidth=0.8, label="true")
                axis.plot(time_s, traits.shown_scale * predicted_rt[region], color=MODEL, label=f"predicted ({predictor})")
                axis.set_title(detail.names[region], loc="left")
            row[0].set_ylabel(traits.shown_unit)
        for axis in axes[-1]:
            axis.set_xlabel("time in the sample (s)")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
        figure.suptitle(f"subject {subject}", x=0.01, ha="left", fontsize=9)
        return figure


def draw_regions(detail: CortexDetail, subject: str, predictor: str) -> Figure:
    """Draw a bar a region: the explained variance of its moment, left hemisphere above right, front to back."""
    explained_r = detail.explained_r[subject][predictor]
    with drawing(7.2, 4.0) as figure:
        halves = np.array_split(np.arange(len(explained_r)), 2)
        for axis, regions in zip(figure.subplots(2, 1, sharey=True), halves, strict=True):
            axis.bar(np.arange(len(regions)), np.nan_to_num(explained_r[regions]), color=MODEL)
            axis.axhline(0, color="0.8", linewidth=0.8)
            axis.set_xticks(np.arange(len(regions)), [detail.names[region] for region in regions], rotation=90)
            axis.set_ylabel("explained variance")
        figure.suptitle(f"subject {subject}, {predictor}", x=0.01, ha="left", fontsize=9)
        return figure
