"""From the scores of subjects to the rows of a table: means, intervals over subjects, tests and warnings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from crossmodal.evaluation.leaks import find_leaks
from crossmodal.evaluation.scorecard import Metric, Scorecard
from crossmodal.evaluation.scores import FoldScores, Role, Score
from crossmodal.evaluation.statistics import bca_interval, holm, is_significant, sign_flip_p, t_interval

_NAN = float("nan")
_NOTHING = 1e-6


@dataclass(frozen=True)
class CohortRow:
    """One predictor over all subjects, for the targets of one channel type; NaN where undefined.

    Attributes
    ----------
    n : int
        Subjects of the score.
    n_defined : dict of str to int
        Subjects of each other metric, by its name: where a prediction is constant there is no correlation.
    means : dict of str to float
        Of each metric of the scorecard over the subjects in whom it is defined; of a share, the mean score over that of its predictor.
    intervals : dict of str to tuple of float
        The t intervals of those metrics that have one.
    bca : tuple of float
        The bootstrap interval of the score.
    p_above : float
        Sign-flip p that the score is above that of the trivial predictor, Holm-corrected over models and baselines.
    p_rival : float
        Two-sided sign-flip p of the paired difference to the scorecard's rival, Holm-corrected likewise.
    rival_difference : float
        Mean over subjects of that difference; below zero, the rival is better.
    above, differs_from_rival : bool
        Whether those p values may be called significant.
    leak : bool
        Whether its score is higher than can be known, in one subject or in all together.
    leaking : tuple of str
        Those subjects; none where only all of them together tell.
    """

    predictor: str
    role: Role
    channel_type: str
    n: int
    n_defined: dict[str, int]
    means: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    bca: tuple[float, float]
    p_above: float
    p_rival: float
    rival_difference: float
    above: bool
    differs_from_rival: bool
    leak: bool
    leaking: tuple[str, ...]

    @property
    def leak_in(self) -> str:
        """Where it leaks, in words."""
        return ", ".join(f"sub-{subject}" for subject in self.leaking) or "all subjects together"


class _TypeScores:
    """All scores of one channel type, with the tests that compare its predictors: a family a column."""

    def __init__(self, scores: Sequence[Score], scorecard: Scorecard, seed: int) -> None:
        self.scores: dict[str, list[Score]] = {}
        for score in scores:
            self.scores.setdefault(score.predictor, []).append(score)
        self.by_subject = {name: by_subject(of_name, [score.score for score in of_name]) for name, of_name in self.scores.items()}
        compared = [name for name, of_name in self.scores.items() if of_name[0].role in ("model", "baseline")]
        rival = next(filter(scorecard.is_rival, compared), None)
        above = {name: sign_flip_p(list(self.by_subject[name].values()), "greater", seed) for name in compared if name != scorecard.trivial}
        differences = {name: self._differences(name, rival) for name in above if rival and name != rival}
        beside = {name: sign_flip_p(of_name, "two-sided", seed) for name, of_name in differences.items()}
        self.p_above = dict(zip(above, holm(list(above.values())), strict=True))
        self.p_rival = dict(zip(beside, holm(list(beside.values())), strict=True))
        self.rival_difference = {name: float(np.mean(of_name)) if of_name else _NAN for name, of_name in differences.items()}

    def _differences(self, name: str, other: str) -> list[float]:
        """By how much one predictor's score is above another's, a number a subject."""
        one, two = self.by_subject[name], self.by_subject[other]
        return [one[subject] - two[subject] for subject in one if subject in two]

    def share(self, name: str, whole: str, confidence: float) -> float:
        """Of the mean of the predictor whose title begins so, unless there is none or it may explain nothing, as in a null cohort."""
        of_whole = next((list(of_name.values()) for other, of_name in self.by_subject.items() if other.startswith(whole)), [0.0])
        mean, (low, _) = float(np.mean(of_whole)), t_interval(of_whole, confidence)
        return _NAN if mean <= _NOTHING or low <= 0 else float(np.mean(list(self.by_subject[name].values()))) / mean


def summarise(folds: Sequence[FoldScores], scorecard: Scorecard, confidence: float = 0.95, seed: int = 0) -> tuple[CohortRow, ...]:
    """Summarise the folds of one run: a row for each channel type and predictor, in the order they were scored.

    A subject tested in several folds counts once, with its mean.
    """
    leaks = find_leaks(folds)
    every = [score for fold in folds for score in fold.scores]
    rows = []
    for channel_type in dict.fromkeys(score.channel_type for score in every):
        of_type = _TypeScores([score for score in every if score.channel_type == channel_type], scorecard, seed)
        rows += [_row(name, of_type, scorecard, leaks.get((channel_type, name)), confidence, seed) for name in of_type.scores]
    return tuple(rows)


def _row(name: str, of_type: _TypeScores, scorecard: Scorecard, leaking: tuple[str, ...] | None, confidence: float, seed: int) -> CohortRow:
    scores = of_type.scores[name]
    figures = {metric.name: _figure(metric, scores, scorecard) for metric in scorecard.scored}
    means = {figure: _mean(values) for figure, values in figures.items()}
    means |= {metric.name: of_type.share(name, metric.share_of, confidence) for metric in scorecard.metrics if metric.share_of}
    means |= {metric.name: _mean({part: means[part] for part in metric.mean_of}) for metric in scorecard.metrics if metric.mean_of}
    intervals = {metric.name: _interval(figures[metric.name], confidence) for metric in scorecard.scored if metric.has_interval}
    explained = list(of_type.by_subject[name].values())
    p_above, p_rival = of_type.p_above.get(name, _NAN), of_type.p_rival.get(name, _NAN)
    return CohortRow(
        predictor=name,
        role=scores[0].role,
        channel_type=scores[0].channel_type,
        n=len(explained),
        n_defined={figure: len(_defined(values)) for figure, values in figures.items() if figure != scorecard.primary},
        means={metric.name: means[metric.name] for metric in scorecard.metrics},
        intervals=intervals,
        bca=bca_interval(explained, confidence, seed),
        p_above=p_above,
        p_rival=p_rival,
        rival_difference=of_type.rival_difference.get(name, _NAN),
        above=is_significant(p_above, len(explained)),
        differs_from_rival=is_significant(p_rival, len(explained)),
        leak=leaking is not None,
        leaking=leaking or (),
    )


def _figure(metric: Metric, scores: Sequence[Score], scorecard: Scorecard) -> dict[str, float]:
    """A metric of each subject."""
    return by_subject(scores, [score.score if metric.name == scorecard.primary else score.values.get(metric.name) for score in scores])


def by_subject(scores: Sequence[Score], numbers: Sequence[float | None]) -> dict[str, float]:
    """Mean over the folds of each subject, NaN where it is undefined."""
    values: dict[str, list[float]] = {}
    for score, number in zip(scores, numbers, strict=True):
        values.setdefault(score.subject, []).append(_NAN if number is None else number)
    return {subject: float(np.mean(of_subject)) for subject, of_subject in values.items()}


def _defined(values: Mapping[str, float]) -> list[float]:
    return [number for number in values.values() if not np.isnan(number)]


def _mean(values: Mapping[str, float]) -> float:
    """Mean over those in whom a figure is defined."""
    return float(np.mean(_defined(values))) if _defined(values) else _NAN


def _interval(values: Mapping[str, float], confidence: float) -> tuple[float, float]:
    return t_interval(_defined(values), confidence) if _defined(values) else (_NAN, _NAN)
