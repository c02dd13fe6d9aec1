"""The model's score of each region against its distance from the scalp: a figure, a sentence, and all numbers as CSV."""

import csv
import io

import numpy as np
from matplotlib.figure import Figure

from crossmodal.evaluation.regions import RankCorrelation, RegionScores, depth_correlation
from crossmodal.evaluation.scorecard import Scorecard
from crossmodal.evaluation.statistics import t_interval
from crossmodal.reporting.style import BASELINES, MODEL, drawing


def depth_sentence(regions: RegionScores, scorecard: Scorecard, confidence: float) -> str:
    """Say how the model's score goes along with distance from the scalp; empty where too little is known."""
    found = depth_correlation(regions, confidence)
    if np.isnan(found.mean):
        return ""
    subjects = f"{found.n_subjects} subject{'s' * (found.n_subjects > 1)}"
    return (
        f"Distance from the scalp: the model's {scorecard.words} has a rank correlation of {_with_interval(found)} with it over"
        f" {found.n_regions} regions, mean of {subjects}; below 0, regions near the scalp do better."
    )


def _with_interval(found: RankCorrelation) -> str:
    interval = "" if np.isnan(found.interval[0]) else " [{:+.2f}, {:+.2f}]".format(*found.interval)
    return f"{found.mean:+.2f}{interval}"


def draw_depth(regions: RegionScores, scorecard: Scorecard, confidence: float) -> Figure:
    """Draw a point a region: mean over subjects with its interval; regions that follow nothing that the input shows are grey."""
    score_ns = np.array(list(regions.by_subject.values()))
    with drawing(4.8, 3.2) as figure:
        axis = figure.subplots()
        for is_shown, colour, label in ((True, MODEL, "region"), (False, BASELINES[0], "region that the input does not show")):
            chosen = np.flatnonzero((regions.is_shown == is_shown) & ~np.isnan(regions.from_scalp_m))
            if len(chosen):
                distance_mm, score_s = 1e3 * regions.from_scalp_m[chosen], score_ns[:, chosen].mean(axis=0)
                low_s, high_s = np.array([t_interval(score_ns[:, region], confidence) for region in chosen]).T
                axis.vlines(distance_mm, low_s, high_s, color=colour, linewidth=0.8)
                axis.plot(distance_mm, score_s, "o", color=colour, markersize=4, label=label)
        axis.axhline(0, color="0.8", linewidth=0.8, zorder=0)
        axis.set(xlabel="distance from the scalp (mm)", ylabel=f"{scorecard.words}, {confidence:.0%} interval over subjects")
        axis.set_title(f"rank correlation {_with_interval(depth_correlation(regions, confidence))}", loc="left")
        figure.legend(loc="outside lower center", ncols=2)
        return figure


def regions_to_csv(regions: RegionScores, scorecard: Scorecard, confidence: float) -> str:
    """A line a region: how far it lies from the scalp, the mean score with its interval, and the score of each subject."""
    text, score = io.StringIO(), scorecard.primary
    writer = csv.writer(text, lineterminator="\n")
    subjects = [f"sub-{subject}" for subject in regions.by_subject]
    writer.writerow(["region", "from_scalp_m", "is_shown", score, f"{score}_low", f"{score}_high", *subjects])
    for index, name in enumerate(regions.names):
        of_region = [float(score_s[index]) for score_s in regions.by_subject.values()]
        figures = [float(np.mean(of_region)), *t_interval(of_region, confidence), *of_region]
        is_shown = "yes" if regions.is_shown[index] else "no"
        writer.writerow([name, _digits(regions.from_scalp_m[index]), is_shown, *map(_digits, figures)])
    return text.getvalue()


def _digits(value: float) -> str:
    return "" if np.isnan(value) else repr(float(value))
