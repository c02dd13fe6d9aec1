"""The leak alarm: which rows explain more than can be known, and in which subjects."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from crossmodal.evaluation.names import ORACLE
from crossmodal.evaluation.scores import FoldScores, Score

# Over all subjects, rows and checks of a run together.
FALSE_ALARMS = 5e-4
_NOTHING = 1e-6
# Of a score: by so much the mean of finite training data may be improved upon where nothing else can be learned.
_LEAST_LEAK = 1e-3
_LEAST_P = 1e-300

Row = tuple[str, str]


def find_leaks(folds: Sequence[FoldScores]) -> dict[Row, tuple[str, ...]]:
    """Find the rows of a run that explain more than the oracle does beyond chance, where it is a bound.

    Each subject is tested alone, since a leak may be in one of them, and all together (Fisher's method), since a weak one may be in each.
    Bonferroni's correction over all of these keeps the rate of false alarms.

    Returns
    -------
    dict of (channel type, predictor) to tuple of str
        Subjects who leak; none where only all of them together do.
    """
    if not all(fold.bounded for fold in folds):
        return {}
    by_row: dict[Row, dict[str, list[float]]] = {}
    for fold in folds:
        oracles = {(score.channel_type, score.subject): score for score in fold.scores if score.predictor == ORACLE}
        for score in fold.scores:
            oracle = oracles.get((score.channel_type, score.subject))
            if score.role in ("model", "baseline") and oracle:
                of_row = by_row.setdefault((score.channel_type, score.predictor), {})
                of_row.setdefault(score.subject, []).append(_p_of_chance(score, oracle))
    # A subject whom several folds test has as many chances.
    p_of = {row: {subject: min(1.0, len(p) * min(p)) for subject, p in of_row.items()} for row, of_row in by_row.items()}
    level = FALSE_ALARMS / max(1, sum(len(of_subjects) + 1 for of_subjects in p_of.values()))
    found = {}
    for row, of_subjects in p_of.items():
        leaking = tuple(subject for subject, p in of_subjects.items() if p < level)
        if leaking or stats.combine_pvalues(np.maximum(list(of_subjects.values()), _LEAST_P)).pvalue < level:
            found[row] = leaking
    return found


def _p_of_chance(score: Score, oracle: Score) -> float:
    """The probability that a predictor without a leak explains so much of a subject.

    What explains less than the oracle is no leak. Where the oracle knows nothing it has no sampling error, and `chance_p` tells.
    """
    excess = score.score - oracle.score
    if abs(oracle.score) >= _NOTHING:
        assert oracle.standard_error is not None
        return float(stats.norm.sf(excess / oracle.standard_error))
    return score.chance_p if score.chance_p is not None and excess > _LEAST_LEAK else 1.0
