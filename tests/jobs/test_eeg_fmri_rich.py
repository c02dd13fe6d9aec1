"""The harder EEG-fMRI cohort by the commands and the file that users take, made small."""

import csv

import pytest

from tests.jobs.conftest import ROOT, run

EXPERIMENT = ROOT / "jobs/experiments/eeg_fmri_rich.yaml"
SMALL = (
    "simulation.subjects=3",
    "simulation.n_volumes=120",
    "simulation.sfreq=100",
    "simulation.n_dipoles=100",
    "simulation.regions=4",
    "simulation.voxel_mm=16",
    "simulation.noise_percent=1",
    "simulation.lead_in_s=[20, 25]",
    "training.epochs=2",
    "tracking.uri=sqlite:///mlflow.db",
)


@pytest.mark.slow
def test_both_kinds_of_regions_and_what_eeg_tells_of_a_subject_are_told(tmp_path):
    for job in ("simulate", "preprocess", "train", "evaluate"):
        done = run(job, EXPERIMENT, *SMALL, cwd=tmp_path)
        assert done.returncode == 0, f"{job}: {done.stdout}\n{done.stderr}"
        assert "failed 0" in done.stdout or job != "preprocess"
    assert "coupled, uncoupled: r of targets" in done.stdout
    (table,) = tmp_path.rglob("store/**/*.csv")
    with table.open(newline="") as file:
        rows = {row["predictor"]: row for row in csv.DictReader(file)}
    ceiling, own = rows["true power through blood"], rows["own lagged ridge on band power to the 0.5 through blood"]
    assert own["role"] == "oracle"
    assert float(ceiling["r_coupled"]) > float(own["r_coupled"]) > 0.3
    assert float(ceiling["r_uncoupled"]) == 0
    assert abs(float(own["r_uncoupled"])) < 0.3
