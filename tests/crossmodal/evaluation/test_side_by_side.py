"""Scores of several variants in one table."""

import pytest

from crossmodal.evaluation.cohort import summarise
from crossmodal.evaluation.scores import FoldScores, Score
from crossmodal.evaluation.side_by_side import side_by_side
from crossmodal.reporting.variants import declared_comparison
from crossmodal.tasks.volumes.scorecard import OWN_RIDGE, SHARE, VOLUMES_SCORECARD

SUBJECTS = [f"{number:02d}" for number in range(1, 9)]
RIDGE = "lagged ridge on band power"


def variant(model: float, ridge: float, vigilance: float | None = None) -> list[FoldScores]:
    """A fold a subject, whose scores differ from subject to subject alike for all predictors."""
    folds = []
    for index, subject in enumerate(SUBJECTS):
        rows = [("net", "model", model + 0.01 * (index % 3)), (RIDGE, "baseline", ridge), ("own mean", "oracle", 0.0)]
        rows += [(f"{OWN_RIDGE} on band power", "oracle", 0.5)]
        rows += [("vigilance", "baseline", vigilance)] if vigilance is not None else []
        scores = tuple(
            Score(predictor=name, role=role, subject=subject, channel_type="bold", score=value + 0.02 * index) for name, role, value in rows
        )
        folds.append(FoldScores(run="run", fold=f"sub-{subject}", label="", bounded=False, scores=scores))
    return folds


def test_models_are_named_after_variants_and_what_all_share_is_shown_once():
    rows = summarise(side_by_side({"a": variant(0.3, 0.2, 0.1), "b": variant(0.4, 0.2, 0.15)}), VOLUMES_SCORECARD)
    assert [row.predictor for row in rows] == ["a: net", RIDGE, "a: vigilance", "b: net", "b: vigilance"]
    assert {row.n for row in rows} == {len(SUBJECTS)}
    # Both networks are tested against the one ridge.
    found = {row.predictor: row.rival_difference for row in rows}
    assert found["a: net"] == pytest.approx(0.1 + 0.07 / 8)
    assert found["b: net"] == pytest.approx(0.2 + 0.07 / 8)


def test_a_model_is_never_taken_for_another_however_alike_they_score():
    rows = summarise(side_by_side({"a": variant(0.3, 0.2), "b": variant(0.3, 0.2)}), VOLUMES_SCORECARD)
    assert [row.predictor for row in rows] == ["a: net", RIDGE, "b: net"]


def test_what_metrics_are_shares_of_is_shown_once_though_it_is_an_oracle():
    rows = summarise(side_by_side({"a": variant(0.3, 0.2), "b": variant(0.4, 0.2)}, VOLUMES_SCORECARD.yardsticks), VOLUMES_SCORECARD)
    assert [row.predictor for row in rows] == ["a: net", RIDGE, f"{OWN_RIDGE} on band power", "b: net"]
    found = {row.predictor: row.means[SHARE] for row in rows}
    # 0.07 is the mean difference between subjects.
    assert found[f"{OWN_RIDGE} on band power"] == 1
    assert found[RIDGE] == pytest.approx((0.2 + 0.07) / (0.5 + 0.07))


def test_the_declared_comparison_is_tested_alone():
    told = declared_comparison(variant(0.3, 0.2), "a", VOLUMES_SCORECARD, 0.95, seed=0)
    # Of 256 sign flips of eight positive differences two are as large: all and none.
    assert "a minus lagged ridge, temporal r +0.109 [+0.102, +0.116], two-sided p = 0.0078 over 8 subjects, tested alone" in told
