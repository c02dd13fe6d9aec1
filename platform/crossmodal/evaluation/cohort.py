"""From the scores of subjects to the rows of a table: means, intervals over subjects, tests and warnings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from crossmodal.evaluation.leaks import find_leaks
from crossmodal.evaluation.names import LINEAR_REFERENCE, TRAINING_MEAN, is_lagged_ridge
from crossmodal.evaluation.scores import FoldScores, Role, Score
from crossmodal.evaluation.statistics import bca_interval, holm, is_significant, sign_flip_p, t_interval

_FIGURES = ("r", "r2", "nmse", "topography_r", "rms_error", "beyond_physiology")
_NAN = float("nan")
_NOTHING = 1e-6


@dataclass(frozen=True)
class CohortRow:
    """One predictor over all subjects, for the sensors of one channel type; NaN where undefined.

    Attributes
    ----------
    n : int
        Subjects of the explained variance.
    n_defined : dict of str to int
        Subjects of each other figure, by the name of its field or of `band_figure`: where a prediction is constant there is no
        correlation.
    explained_variance : float
        Mean over subjects; `interval` is its t interval, `bca` its bootstrap interval.
    beyond_physiology : float
        Mean explained variance of what EOG and ECG leave, over subjects who have these; `beyond_interval` is its t interval.
    ratio : float
        Mean explained variance over that of the linear reference.
    p_above_mean : float
        Sign-flip p that the predictor explains more than the training mean, Holm-corrected over models and baselines.
    p_lagged : float
        Two-sided sign-flip p of the paired difference to lagged ridge, Holm-corrected likewise.
    lagged_difference : float
        Mean over subjects of that difference; below zero, lagged ridge explains more.
    above_mean, differs_from_lagged : bool
        Whether those p values may be called significant.
    leak : bool
        Whether it explains more than can be known, in one subject or in all together.
    leaking : tuple of str
        Those subjects; none where only all of them together tell.
    """

    predictor: str
    role: Role
    channel_type: str
    n: int
    n_defined: dict[str, int]
    explained_variance: float
    interval: tuple[float, float]
    bca: tuple[float, float]
    beyond_physiology: float
    beyond_interval: tuple[float, float]
    ratio: float
    r: float
    r2: float
    nmse: float
    topography_r: float
    rms_error: float
    log_psd_error_db: dict[str, float]
    p_above_mean: float
    p_lagged: float
    lagged_difference: float
    above_mean: bool
    differs_from_lagged: bool
    leak: bool
    leaking: tuple[str, ...]

    @property
    def leak_in(self) -> str:
        """Where it leaks, in words."""
        return ", ".join(f"sub-{subject}" for subject in self.leaking) or "all subjects together"


class _TypeScores:
    """All scores of one channel type, with the tests that compare its predictors: a family a column."""

    def __init__(self, scores: Sequence[Score], seed: int) -> None:
        self.scores: dict[str, list[Score]] = {}
        for score in scores:
            self.scores.setdefault(score.predictor, []).append(score)
        self.explained = {name: _by_subject(of_name, lambda score: score.explained_variance) for name, of_name in self.scores.items()}
        self.compared = [name for name, of_name in self.scores.items() if of_name[0].role != "ceiling"]
        lagged = next(filter(is_lagged_ridge, self.compared), None)
        above = {name: sign_flip_p(list(self.explained[name].values()), "greater", seed) for name in self.compared if name != TRAINING_MEAN}
        differences = {name: self._differences(name, lagged) for name in above if lagged and name != lagged}
        beside = {name: sign_flip_p(of_name, "two-sided", seed) for name, of_name in differences.items()}
        self.p_above_mean = dict(zip(above, holm(list(above.values())), strict=True))
        self.p_lagged = dict(zip(beside, holm(list(beside.values())), strict=True))
        self.lagged_difference = {name: float(np.mean(of_name)) if of_name else _NAN for name, of_name in differences.items()}

    def _differences(self, name: str, other: str) -> list[float]:
        """What one predictor explains more than another, a number a subject."""
        one, two = self.explained[name], self.explained[other]
        return [one[subject] - two[subject] for subject in one if subject in two]

    def ratio(self, name: str) -> float:
        """Over the linear reference's mean, unless there is none or it explains nothing, as in a null cohort."""
        reference = np.mean(list(self.explained.get(LINEAR_REFERENCE, {"none": 0.0}).values()))
        return float(np.mean(list(self.explained[name].values())) / reference) if reference > _NOTHING else _NAN


def summarise(folds: Sequence[FoldScores], confidence: float = 0.95, seed: int = 0) -> tuple[CohortRow, ...]:
    """Summarise the folds of one run: a row for each channel type and predictor, in the order they were scored.

    A subject tested in several folds counts once, with its mean.
    """
    leaks = find_leaks(folds)
    every = [score for fold in folds for score in fold.scores]
    rows = []
    for channel_type in dict.fromkeys(score.channel_type for score in every):
        of_type = _TypeScores([score for score in every if score.channel_type == channel_type], seed)
        rows += [_row(name, of_type, leaks.get((channel_type, name)), confidence, seed) for name in of_type.scores]
    return tuple(rows)


def _row(name: str, of_type: _TypeScores, leaking: tuple[str, ...] | None, confidence: float, seed: int) -> CohortRow:
    scores, explained = of_type.scores[name], list(of_type.explained[name].values())
    bands = scores[0].log_psd_error_db
    figures = {name: _by_subject(scores, attrgetter(name)) for name in _FIGURES}
    figures |= {band_figure(band): _by_subject(scores, _band_error(band)) for band in bands}
    beyond = _defined(figures["beyond_physiology"])
    p_above_mean, p_lagged = of_type.p_above_mean.get(name, _NAN), of_type.p_lagged.get(name, _NAN)
    return CohortRow(
        predictor=name,
        role=scores[0].role,
        channel_type=scores[0].channel_type,
        n=len(explained),
        n_defined={name: len(_defined(values)) for name, values in figures.items()},
        explained_variance=float(np.mean(explained)),
        interval=t_interval(explained, confidence),
        bca=bca_interval(explained, confidence, seed),
        beyond_physiology=_mean(figures["beyond_physiology"]),
        beyond_interval=t_interval(beyond, confidence) if beyond else (_NAN, _NAN),
        ratio=of_type.ratio(name),
        r=_mean(figures["r"]),
        r2=_mean(figures["r2"]),
        nmse=_mean(figures["nmse"]),
        topography_r=_mean(figures["topography_r"]),
        rms_error=_mean(figures["rms_error"]),
        log_psd_error_db={band: _mean(figures[band_figure(band)]) for band in bands},
        p_above_mean=p_above_mean,
        p_lagged=p_lagged,
        lagged_difference=of_type.lagged_difference.get(name, _NAN),
        above_mean=is_significant(p_above_mean, len(explained)),
        differs_from_lagged=is_significant(p_lagged, len(explained)),
        leak=leaking is not None,
        leaking=leaking or (),
    )


def band_figure(band: str) -> str:
    """What the log-PSD error of a band is called."""
    return f"log_psd_error_db_{band}"


def _band_error(band: str) -> Callable[[Score], float | None]:
    return lambda score: score.log_psd_error_db[band]


def _by_subject(scores: Sequence[Score], value: Callable[[Score], float | None]) -> dict[str, float]:
    """Mean of a field over the folds of each subject, NaN where it is undefined."""
    values: dict[str, list[float]] = {}
    for score in scores:
        number = value(score)
        values.setdefault(score.subject, []).append(_NAN if number is None else number)
    return {subject: float(np.mean(of_subject)) for subject, of_subject in values.items()}


def _defined(values: Mapping[str, float]) -> list[float]:
    return [number for number in values.values() if not np.isnan(number)]


def _mean(values: Mapping[str, float]) -> float:
    """Mean over subjects in whom a figure is defined."""
    return float(np.mean(_defined(values))) if _defined(values) else _NAN
