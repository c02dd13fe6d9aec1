"""Scores of regions against their distance from the scalp: those near it should show best in EEG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from crossmodal.evaluation.statistics import t_interval

Floats = NDArray[np.float64]

# With fewer, ranks say next to nothing.
_LEAST_REGIONS = 4


@dataclass(frozen=True)
class RegionScores:
    """The model's score of each region.

    Attributes
    ----------
    names : tuple of str
    from_scalp_m : float64 array, shape (n_regions,)
        NaN of a region whose place is not known.
    is_shown : bool array, shape (n_regions,)
        False of a region that is known to follow nothing that the input shows.
    by_subject : mapping of str to float64 array, shape (n_regions,)
        The score of each subject's regions, NaN where it is undefined.
    """

    names: tuple[str, ...]
    from_scalp_m: Floats
    is_shown: NDArray[np.bool_]
    by_subject: Mapping[str, Floats]


@dataclass(frozen=True)
class RankCorrelation:
    """Spearman's rank correlation over regions, averaged over subjects; NaN where there are too few of either."""

    mean: float
    interval: tuple[float, float]
    n_subjects: int
    n_regions: int


def together(folds: Sequence[RegionScores]) -> RegionScores:
    """Put the subjects of folds together; of one who is tested in several, scores are averaged."""
    found: dict[str, list[Floats]] = {}
    for fold in folds:
        assert fold.names == folds[0].names
        for subject, score_s in fold.by_subject.items():
            found.setdefault(subject, []).append(score_s)
    means = {subject: np.mean(scores, axis=0) for subject, scores in found.items()}
    return RegionScores(folds[0].names, folds[0].from_scalp_m, folds[0].is_shown, means)


def depth_correlation(regions: RegionScores, confidence: float) -> RankCorrelation:
    """How scores go along with distance from the scalp, over the regions that the input may show; below 0 where those near it do better.

    The interval is over subjects: the regions are the same ones in all, and others might give another number.
    """
    chosen = regions.is_shown & ~np.isnan(regions.from_scalp_m)
    found = [_rank_correlation(score_s[chosen], regions.from_scalp_m[chosen]) for score_s in regions.by_subject.values()]
    defined = [value for value in found if not np.isnan(value)]
    mean = float(np.mean(defined)) if defined else float("nan")
    return RankCorrelation(mean, t_interval(defined, confidence), len(defined), int(chosen.sum()))


def _rank_correlation(score_s: Floats, distance_s: Floats) -> float:
    known = ~np.isnan(score_s)
    if known.sum() < _LEAST_REGIONS or np.ptp(score_s[known]) == 0 or np.ptp(distance_s[known]) == 0:
        return float("nan")
    return float(stats.spearmanr(score_s[known], distance_s[known]).statistic)
