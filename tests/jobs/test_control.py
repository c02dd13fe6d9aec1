"""The control that ships: with nothing to find, nothing is found, by trained networks and by physics alike."""

import csv
from pathlib import Path

import pytest

NULL = Path(__file__).resolve().parents[2] / "jobs" / "experiments" / "null.yaml"


@pytest.mark.slow
def test_no_model_scores_where_nothing_can_be_learned(run_job, tmp_path):
    smaller = ("simulation.subjects=4", "simulation.duration_s=60", "simulation.n_dipoles=200", "training.epochs=3")
    places = (f"simulation.root={tmp_path}/cohort", f"recordings.root={tmp_path}/cohort", f"store={tmp_path}/store")
    for job in ("simulate", "preprocess", "train", "evaluate"):
        done = run_job(job, NULL, *smaller, *places, f"tracking.uri=sqlite:///{tmp_path}/mlflow.db", cwd=tmp_path)
        assert done.returncode == 0, f"{job}: {done.stdout}\n{done.stderr}"
    assert "LEAK" not in done.stdout
    (table,) = tmp_path.glob("store/scores/*/protocol-*/scores.csv")
    with table.open() as text:
        rows = {row["predictor"]: row for row in csv.DictReader(text)}
    assert {"Synaptech-Net", "training mean", "ridge", "lagged ridge 100 ms", "minimum norm", "oracle"} <= rows.keys()
    assert float(rows["oracle"]["explained_variance"]) == 0
    assert all(float(row["explained_variance_low"]) <= 0 for row in rows.values())
