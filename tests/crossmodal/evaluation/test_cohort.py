"""Rows of the table follow from the scores of subjects."""

import numpy as np
import pytest

from crossmodal.evaluation.cohort import summarise
from crossmodal.evaluation.scores import FoldScores, Score
from crossmodal.tasks.sensors.scorecard import RATIO, sensors_scorecard

CARD = sensors_scorecard({"alpha": (8, 13)})


def folds(n, bounded=True, **explained):
    """One fold a subject; `explained` gives a predictor's explained variance of each subject."""
    roles = {"model": "model", "oracle": "ceiling", "linear reference": "ceiling"}
    return [
        FoldScores(
            run="r",
            fold=str(subject),
            label="",
            bounded=bounded,
            scores=tuple(
                Score(
                    predictor=name,
                    role=roles.get(name, "baseline"),
                    subject=str(subject),
                    channel_type="mag",
                    score=values[subject],
                    # A ceiling that explains nothing has no sampling error.
                    standard_error=0.01 * (values[subject] != 0) if roles.get(name) == "ceiling" else None,
                    values={} if name in roles else {"log_psd_error_db_alpha": 1.0},
                )
                for name, values in explained.items()
            ),
        )
        for subject in range(n)
    ]


def rows(*args, **kwargs):
    return {row.predictor: row for row in summarise(folds(*args, **kwargs), CARD)}


def eight(level):
    return level + 0.01 * np.arange(8)


def test_columns_are_families_corrected_by_holm():
    table = rows(8, **{"model": eight(0.3), "training mean": np.zeros(8), "ridge": eight(0.2), "lagged ridge 100 ms": eight(0.25)})
    assert table["model"].p_above == 3 / 2**8
    assert table["model"].p_rival == 2 * 2 / 2**8
    assert table["model"].above
    assert table["model"].differs_from_rival
    assert np.isnan(table["training mean"].p_above)
    assert np.isnan(table["lagged ridge 100 ms"].p_rival)


def test_the_difference_to_lagged_ridge_has_a_sign():
    table = rows(8, **{"model": eight(0.3), "ridge": eight(0.2), "lagged ridge 100 ms": eight(0.25)})
    assert table["model"].rival_difference == pytest.approx(0.05)
    assert table["ridge"].rival_difference == pytest.approx(-0.05)
    assert np.isnan(table["lagged ridge 100 ms"].rival_difference)


def test_a_row_counts_the_subjects_of_each_figure():
    scored = folds(3, ridge=np.zeros(3))
    scores = [
        fold.scores[0].model_copy(update={"values": {"r": r, "log_psd_error_db_alpha": error}})
        for fold, r, error in zip(scored, (0.2, None, 0.4), (None, None, 2.0), strict=True)
    ]
    (row,) = summarise([fold.model_copy(update={"scores": (score,)}) for fold, score in zip(scored, scores, strict=True)], CARD)
    assert (row.n, row.n_defined["r"], row.n_defined["nmse"], row.n_defined["log_psd_error_db_alpha"]) == (3, 2, 0, 1)
    assert row.means["r"] == pytest.approx(0.3)


def test_means_intervals_and_ratio_to_the_linear_reference():
    table = rows(8, **{"model": eight(0.3), "linear reference": eight(0.35)})
    assert table["model"].n == 8
    assert table["model"].means["explained_variance"] == pytest.approx(0.335)
    assert table["model"].intervals["explained_variance"][0] < 0.335 < table["model"].intervals["explained_variance"][1]
    assert table["model"].means[RATIO] == pytest.approx(0.335 / 0.385)
    assert np.isnan(table["linear reference"].p_above)


def test_nothing_is_a_share_of_what_may_explain_nothing():
    noise = 0.1 * np.array([1, -1, 1, -1, 1, -1, 1, -0.9])
    table = rows(8, **{"model": eight(0.3), "linear reference": noise})
    assert noise.mean() > 0
    assert np.isnan(table["model"].means[RATIO])
    assert np.isnan(rows(8, model=eight(0.3))["model"].means[RATIO])


def test_five_subjects_are_never_significant():
    assert not rows(5, model=eight(0.3))["model"].above


def test_a_model_above_the_oracle_beyond_its_error_is_a_leak_and_one_within_is_not():
    leaking = rows(8, model=eight(0.5), oracle=eight(0.4))["model"]
    assert leaking.leak
    assert leaking.leak_in.startswith("sub-0, sub-1, ")
    assert not rows(8, model=eight(0.405), oracle=eight(0.4))["model"].leak
    assert not rows(8, bounded=False, model=eight(0.5), oracle=eight(0.4))["model"].leak


def test_a_subject_tested_twice_counts_once():
    assert summarise(folds(8, model=eight(0.3)) + folds(8, model=eight(0.4)), CARD)[0].n == 8
