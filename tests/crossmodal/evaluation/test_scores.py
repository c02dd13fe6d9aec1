"""Scores come back from the store as they were saved."""

import json
from dataclasses import fields
from pathlib import Path

import mne
import numpy as np
import pytest

from crossmodal.evaluation.protocol import HISTORY, PROTOCOL
from crossmodal.evaluation.scores import FoldEvaluation, FoldScores, Score, save_scores, scores_uri
from crossmodal.tasks.sensors.detail import SensorsDetail, SubjectDetail
from crossmodal.tasks.sensors.metrics import SensorMetrics


@pytest.fixture
def evaluated():
    score = Score(
        predictor="ridge",
        role="baseline",
        subject="01",
        channel_type="mag",
        score=0.3,
        values={"r": 0.5, "topography_r": None, "log_psd_error_db_alpha": 2.5},
    )
    scores = FoldScores(run="demo", fold="01", label="leaky", bounded=True, scores=(score,))
    example = {"truth": np.ones((2, 5), np.float32), "own FIR": np.zeros((2, 5), np.float32)}
    sensors = SensorMetrics(**{each.name: np.array([number, np.nan]) for number, each in enumerate(fields(SensorMetrics))})
    subject = SubjectDetail(mne.create_info(0, 100.0), {"ridge": sensors}, np.arange(3.0), {"truth": np.ones((2, 3))}, example)
    return FoldEvaluation(scores, SensorsDetail(("MEG0111", "MEG0121"), ("mag", "mag"), 100.0, {"01": subject}))


def read(folder):
    return FoldScores.model_validate_json((folder / "01.json").read_text())


def test_scores_come_back(evaluated, tmp_path):
    scores, detail = evaluated.scores, evaluated.detail
    save_scores(str(tmp_path), evaluated)
    assert read(tmp_path / "scores/demo") == scores
    subject = detail.subjects["01"]
    expected = {"names": detail.names, "types": detail.types, "sfreq": 100.0, "01/frequencies_hz": subject.frequencies_hz}
    expected |= {f"01/sensors/{metric}/ridge": array for metric, array in vars(subject.sensors["ridge"]).items()}
    expected |= {f"01/{group}/{name}": array for group in ("psd", "example") for name, array in getattr(subject, group).items()}
    with np.load(tmp_path / "scores/demo/01.npz") as arrays:
        assert set(arrays.files) == set(expected)
        for name, array in expected.items():
            np.testing.assert_array_equal(arrays[name], array)


def test_the_same_scores_are_the_same_bytes(evaluated, tmp_path):
    for store in ("one", "two"):
        save_scores(str(tmp_path / store), evaluated)
    for name in ("01.json", "01.npz"):
        assert (tmp_path / "one/scores/demo" / name).read_bytes() == (tmp_path / "two/scores/demo" / name).read_bytes()


def test_scores_of_a_newer_protocol_lie_beside_the_older_ones(evaluated, tmp_path):
    store, scores = str(tmp_path), evaluated.scores
    save_scores(store, evaluated)
    before = {path.name: path.read_bytes() for path in (tmp_path / "scores/demo").iterdir()}
    newer = scores.model_copy(update={"scores": (scores.scores[0].model_copy(update={"score": 0.1}),), "protocol": PROTOCOL})
    save_scores(store, FoldEvaluation(newer, evaluated.detail))
    assert {path.name: path.read_bytes() for path in (tmp_path / "scores/demo").iterdir() if path.is_file()} == before
    assert read(tmp_path / "scores/demo") == scores
    assert read(Path(scores_uri(store, "demo"))) == newer


def test_scores_that_tell_no_version_are_of_the_first(evaluated, tmp_path):
    save_scores(str(tmp_path), evaluated)
    file = tmp_path / "scores/demo/01.json"
    written = json.loads(file.read_text())
    del written["protocol"]
    file.write_text(json.dumps(written))
    assert read(file.parent).protocol == 1


def test_each_version_says_what_it_changed():
    assert list(HISTORY) == list(range(1, PROTOCOL + 1))
    assert all(HISTORY.values())
