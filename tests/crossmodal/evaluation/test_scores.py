"""Scores come back from the store as they were saved."""

from dataclasses import fields

import numpy as np
import pytest

from crossmodal.config import UserError
from crossmodal.evaluation.metrics import SensorMetrics
from crossmodal.evaluation.scores import FoldDetail, FoldScores, Score, SubjectDetail, load_scores, save_scores


@pytest.fixture
def evaluated():
    score = Score(
        predictor="ridge",
        role="baseline",
        subject="01",
        channel_type="mag",
        explained_variance=0.3,
        r=0.5,
        topography_r=None,
        log_psd_error_db={"alpha": 2.5, "gamma": None},
    )
    scores = FoldScores(run="demo", fold="01", label="leaky", bounded=True, scores=(score,))
    example = {"truth": np.ones((2, 5), np.float32), "own FIR": np.zeros((2, 5), np.float32)}
    sensors = SensorMetrics(**{each.name: np.array([number, np.nan]) for number, each in enumerate(fields(SensorMetrics))})
    subject = SubjectDetail({"ridge": sensors}, np.arange(3.0), {"truth": np.ones((2, 3))}, example)
    return scores, FoldDetail(("MEG0111", "MEG0121"), ("mag", "mag"), 100.0, {"01": subject})


def test_scores_come_back(evaluated, tmp_path):
    save_scores(str(tmp_path), *evaluated)
    scores, detail = load_scores(str(tmp_path), "demo", "01")
    assert scores == evaluated[0]
    assert (detail.names, detail.types, detail.sfreq) == (evaluated[1].names, evaluated[1].types, 100.0)
    for group in ("sensors", "psd", "example"):
        expected, found = (getattr(one.subjects["01"], group) for one in (evaluated[1], detail))
        if group == "sensors":
            expected, found = (vars(each["ridge"]) for each in (expected, found))
        assert expected.keys() == found.keys()
        for name, array in expected.items():
            np.testing.assert_array_equal(found[name], array)


def test_the_same_scores_are_the_same_bytes(evaluated, tmp_path):
    for store in ("one", "two"):
        save_scores(str(tmp_path / store), *evaluated)
    for name in ("01.json", "01.npz"):
        assert (tmp_path / "one/scores/demo" / name).read_bytes() == (tmp_path / "two/scores/demo" / name).read_bytes()


def test_missing_scores_say_what_to_run(tmp_path):
    with pytest.raises(UserError, match=r"fold '02' of run 'demo' has no scores; run python jobs/evaluate.py"):
        load_scores(str(tmp_path), "demo", "02")
