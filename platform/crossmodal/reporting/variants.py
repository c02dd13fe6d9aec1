"""What a comparison of variants shows beside its table: the declared comparison in a sentence, and a figure."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from crossmodal.config.channel_types import CHANNEL_TYPES
from crossmodal.evaluation.cohort import CohortRow, by_subject
from crossmodal.evaluation.scorecard import Scorecard
from crossmodal.evaluation.scores import FoldScores, Score
from crossmodal.evaluation.statistics import sign_flip_p, t_interval
from crossmodal.reporting.style import BASELINES, CEILING, MODEL, drawing
from crossmodal.reporting.table import ScoreTable

_COLOURS = {"model": MODEL, "ceiling": CEILING}


def declared_comparison(folds: Sequence[FoldScores], label: str, scorecard: Scorecard, confidence: float, seed: int) -> str:
    """Say how far the model of one variant is above the scorecard's rival, by a test that is alone and so uncorrected.

    Parameters
    ----------
    folds : sequence of FoldScores
        Of that variant, which has the rival among its baselines.
    """
    sentences = []
    every = [score for fold in folds for score in fold.scores]
    for channel_type in dict.fromkeys(score.channel_type for score in every):
        of_type = [score for score in every if score.channel_type == channel_type]
        model, rival = (_scores_of(name, of_type) for name in _names(of_type, scorecard))
        differences = [model[subject] - rival[subject] for subject in model]
        low, high = t_interval(differences, confidence)
        p = sign_flip_p(differences, "two-sided", seed)
        sentences.append(
            f"Declared comparison, {CHANNEL_TYPES[channel_type].title}: {label} minus {scorecard.rival}, {scorecard.words} "
            f"{np.mean(differences):+.3f} [{low:+.3f}, {high:+.3f}], two-sided p = {p:.4f} over {len(differences)} subjects, tested alone."
        )
    return " ".join(sentences)


def _names(scores: Sequence[Score], scorecard: Scorecard) -> tuple[str, str]:
    model = next(score.predictor for score in scores if score.role == "model")
    rival = next(score.predictor for score in scores if score.role == "baseline" and scorecard.is_rival(score.predictor))
    return model, rival


def _scores_of(predictor: str, scores: Sequence[Score]) -> dict[str, float]:
    own = [score for score in scores if score.predictor == predictor]
    return by_subject(own, [score.score for score in own])


def draw_variants(table: ScoreTable) -> Figure:
    """Draw the score of each row with its interval over subjects, in the order of the table."""
    by_type, primary = table.by_type(), table.scorecard.primary
    with drawing(6.4, sum(0.7 + 0.24 * len(rows) for rows in by_type.values())) as figure:
        axes = figure.subplots(len(by_type), 1, squeeze=False)[:, 0]
        for axis, (channel_type, rows) in zip(axes, by_type.items(), strict=True):
            for position, row in enumerate(rows):
                low, high = row.intervals[primary]
                axis.plot([low, high], [position, position], color=_colour(row), linewidth=1.5)
                axis.plot(row.means[primary], position, "o", color=_colour(row), markersize=5)
            axis.axvline(0, color="0.8", linewidth=0.8, zorder=0)
            axis.set_yticks(range(len(rows)), [row.predictor for row in rows])
            axis.set(xlabel=f"{table.scorecard.words}, {table.confidence:.0%} interval", title=CHANNEL_TYPES[channel_type].title)
            axis.invert_yaxis()
        return figure


def _colour(row: CohortRow) -> str:
    return _COLOURS.get(row.role, BASELINES[0])
