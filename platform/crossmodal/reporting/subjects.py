"""Every subject's score beside baselines and ceilings: the scatter behind the table's means."""

from collections.abc import Sequence
from itertools import cycle
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crossmodal.config.channel_types import CHANNEL_TYPES
from crossmodal.evaluation.scorecard import Scorecard
from crossmodal.evaluation.scores import FoldScores, Score
from crossmodal.reporting.style import BASELINES, CEILING, MODEL, drawing

# One more than there are colours, so that no two of thirty baselines look alike.
_MARKERS = ("s", "^", "D", "v", "P", "X")
_SHIFTS = (0.3, -0.3, 0.2, -0.2)
_LINES: tuple[Literal["-", "--", ":", "-."], ...] = ("-", "--", ":", "-.")


def draw_subjects(folds: Sequence[FoldScores], scorecard: Scorecard) -> Figure:
    """Draw a column a subject: the model as a disc, baselines as other marks, ceilings as bars. Zero is the trivial predictor.

    A ring is the model's figure that the scorecard names beside the score.
    """
    every = [score for fold in folds for score in fold.scores if score.predictor != scorecard.trivial and score.role != "void"]
    types = list(dict.fromkeys(score.channel_type for score in every))
    subjects = sorted({score.subject for score in every})
    with drawing(2.4 + max(2.6, 0.42 * len(subjects)), 2.8 * len(types)) as figure:
        axes = figure.subplots(len(types), 1, sharex=True, squeeze=False)[:, 0]
        for axis, channel_type in zip(axes, types, strict=True):
            of_type = [score for score in every if score.channel_type == channel_type]
            _draw_ceilings(axis, [score for score in of_type if score.role == "ceiling"], subjects)
            _draw_predictors(axis, [score for score in of_type if score.role != "ceiling"], subjects, scorecard)
            axis.axhline(0, color="0.8", linewidth=0.8, zorder=0)
            axis.set(ylabel=scorecard.words, title=CHANNEL_TYPES[channel_type].title, xlim=(-0.6, len(subjects) - 0.4))
            axis.set_xticks(range(len(subjects)), subjects, rotation=90 if max(map(len, subjects)) > 4 else 0)
            axis.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        axes[-1].set_xlabel("subject")
        return figure


def _draw_ceilings(axis: Axes, scores: Sequence[Score], subjects: Sequence[str]) -> None:
    for predictor, line in zip(_predictors(scores), cycle(_LINES)):
        x, y = _points(scores, predictor, subjects)
        axis.hlines(y, [at - 0.4 for at in x], [at + 0.4 for at in x], colors=CEILING, linestyles=line, label=predictor)


def _draw_predictors(axis: Axes, scores: Sequence[Score], subjects: Sequence[str], scorecard: Scorecard) -> None:
    """The model in the middle of its subject's column, baselines beside it so that none hides another."""
    for predictor in _predictors([score for score in scores if score.role == "model"]):
        axis.plot(*_points(scores, predictor, subjects), "o", color=MODEL, markersize=6, label=predictor, zorder=3)
        own = [score for score in scores if score.predictor == predictor]
        found = {subjects.index(score.subject): score.values.get(scorecard.beside) for score in own}
        beyond = {at: value for at, value in found.items() if value is not None}
        if beyond:
            label = f"{predictor}, {scorecard.beside_words}"
            axis.plot(list(beyond), list(beyond.values()), "o", color=MODEL, markerfacecolor="none", markersize=9, label=label, zorder=3)
    baselines = _predictors([score for score in scores if score.role != "model"])
    for predictor, shift, marker, colour in zip(baselines, cycle(_SHIFTS), cycle(_MARKERS), cycle(BASELINES)):
        x, y = _points(scores, predictor, subjects)
        axis.plot([at + shift for at in x], y, marker, color=colour, markersize=4, label=predictor, zorder=2)


def _predictors(scores: Sequence[Score]) -> list[str]:
    return list(dict.fromkeys(score.predictor for score in scores))


def _points(scores: Sequence[Score], predictor: str, subjects: Sequence[str]) -> tuple[list[int], list[float]]:
    own = [score for score in scores if score.predictor == predictor]
    return [subjects.index(score.subject) for score in own], [score.score for score in own]
