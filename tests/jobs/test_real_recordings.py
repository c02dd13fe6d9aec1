"""Real seconds of EEG and MEG go the whole way, those of an empty room too."""

import csv
import os
from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).resolve().parents[2] / "jobs" / "experiments"

pytestmark = pytest.mark.skipif(
    not (Path(os.environ.get("CROSSMODAL_TEST_DATA", "/nowhere")) / "paired_eeg_meg").is_dir(),
    reason="CROSSMODAL_TEST_DATA names no folder with paired_eeg_meg/",
)


@pytest.fixture
def explained_variance(run_job, tmp_path):
    """Run an experiment and give the explained variance of each predictor."""

    def of(name: str) -> dict[str, float]:
        overrides = (f"store={tmp_path}/store", f"tracking.uri=sqlite:///{tmp_path}/mlflow.db")
        for job in ("preprocess", "train", "evaluate"):
            done = run_job(job, EXPERIMENTS / f"{name}.yaml", *overrides, cwd=tmp_path)
            assert done.returncode == 0, f"{job}: {done.stdout}\n{done.stderr}"
        assert "within recording" in done.stdout
        (table,) = tmp_path.glob("store/scores/*/protocol-*/scores.csv")
        with table.open() as rows:
            return {row["predictor"]: float(row["explained_variance"]) for row in csv.DictReader(rows)}

    return of


@pytest.mark.slow
def test_real_recordings_go_the_whole_way(explained_variance):
    scored = explained_variance("real_recordings")
    assert {"Synaptech-Net", "training mean", "ridge", "minimum norm"} <= scored.keys()


@pytest.mark.slow
def test_an_empty_room_shares_little_but_noise(explained_variance):
    scored = explained_variance("empty_room")
    # No control: the room's noise reaches EEG inputs and MEG alike, and a fifth of a second of a band of 26 Hz is some ten independent
    # samples, so that a score is within a fifth of what they share.
    assert max(scored.values()) < 0.2
