"""Scores come back from the store as they were saved."""

import json
from dataclasses import fields

import numpy as np
import pytest

from crossmodal.config import UserError
from crossmodal.evaluation.metrics import SensorMetrics
from crossmodal.evaluation.protocol import HISTORY, PROTOCOL
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
    scores, detail = load_scores(str(tmp_path), "demo", "01", protocol=1)
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


def test_scores_of_a_newer_protocol_lie_beside_the_older_ones(evaluated, tmp_path):
    store, (scores, detail) = str(tmp_path), evaluated
    save_scores(store, scores, detail)
    before = {path.name: path.read_bytes() for path in (tmp_path / "scores/demo").iterdir()}
    newer = scores.model_copy(update={"scores": (scores.scores[0].model_copy(update={"explained_variance": 0.1}),), "protocol": PROTOCOL})
    save_scores(store, newer, detail)
    assert {path.name: path.read_bytes() for path in (tmp_path / "scores/demo").iterdir() if path.is_file()} == before
    assert load_scores(store, "demo", "01", protocol=1)[0] == scores
    assert load_scores(store, "demo", "01")[0] == newer


def test_scores_that_tell_no_version_are_of_the_first(evaluated, tmp_path):
    save_scores(str(tmp_path), *evaluated)
    file = tmp_path / "scores/demo/01.json"
    written = json.loads(file.read_text())
    del written["protocol"]
    file.write_text(json.dumps(written))
    assert load_scores(str(tmp_path), "demo", "01", protocol=1)[0].protocol == 1
    with pytest.raises(UserError, match=f"has no scores of protocol version {PROTOCOL}"):
        load_scores(str(tmp_path), "demo", "01")


def test_each_version_says_what_it_changed():
    assert list(HISTORY) == list(range(1, PROTOCOL + 1))
    assert all(HISTORY.values())


def test_missing_scores_say_what_to_run(tmp_path):
    with pytest.raises(UserError, match=r"fold '02' of run 'demo' has no scores of protocol version .*; run python jobs/evaluate.py"):
        load_scores(str(tmp_path), "demo", "02")
