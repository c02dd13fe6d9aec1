"""The comparisons of the project as users run them, on a small cohort: each is one command, and says what its file promises."""

import csv
import re
from pathlib import Path

import pytest
import yaml

from tests.jobs.conftest import ROOT, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

EXPERIMENT = ROOT / "jobs/experiments/eeg_fmri_targets.yaml"
TRUTH = "runs/eeg_fmri_rich/cohort/derivatives/truth"
SMALL = (
    "simulation.subjects=7",
    "simulation.sessions=1",
    "simulation.runs=1",
    "simulation.oddball=null",
    "simulation.n_volumes=80",
    "simulation.sfreq=100",
    "simulation.n_dipoles=60",
    "simulation.regions=4",
    "simulation.voxel_mm=16",
    "simulation.noise_percent=1",
    "simulation.lead_in_s=[20, 25]",
    "training.epochs=2",
    "evaluation.own_ridge=null",
    "split.held_out=['01']",
    "tracking.uri=sqlite:///mlflow.db",
)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparisons")
    made = run("simulate", EXPERIMENT, *SMALL, cwd=folder)
    assert made.returncode == 0, made.stderr
    return folder


def preprocess(folder, experiment, *settings):
    done = run("preprocess", experiment, *SMALL, *settings, cwd=folder)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def compare(folder, name):
    """Run a comparison; give its rows by predictor, and what it printed."""
    done = run("compare", ROOT / f"jobs/comparisons/{name}.yaml", *SMALL, cwd=folder, timeout_s=1500)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    # Runs of variants may be named as the comparison is.
    table = Path(re.search(r"table and figure: (\S+)", done.stdout)[1]) / "scores.csv"
    assert (table.parent / "variants.png").stat().st_size > 10_000
    with table.open(newline="") as file:
        return {row["predictor"]: row for row in csv.DictReader(file)}, done.stdout


@pytest.mark.parametrize("name", ["lags", "inputs", "learning_curve"])
def test_what_is_taken_away_stands_in_one_table(cohort, name):
    preprocess(cohort, ROOT / "jobs/experiments/eeg_fmri_rich.yaml")
    rows, _ = compare(cohort, name)
    labels = yaml.safe_load((ROOT / f"jobs/comparisons/{name}.yaml").read_text())["variants"]
    for predictor in ("band power network", "lagged ridge on band power"):
        assert {f"{label}: {predictor}" for label in labels} <= rows.keys()
    assert any(row["role"] == "ceiling" for row in rows.values())
    assert not any(row["leak"] for row in rows.values())


def test_a_network_on_regions_voxels_and_maps_is_compared_in_regions(cohort):
    preprocess(cohort, EXPERIMENT)
    preprocess(cohort, EXPERIMENT, f"preprocessing.bold.targets={{kind: voxels, mask: {TRUTH}/atlas.nii.gz}}")
    preprocess(cohort, EXPERIMENT, f"preprocessing.bold.targets={{kind: maps, maps: {TRUTH}/maps.nii.gz}}")
    rows, printed = compare(cohort, "targets")
    # The truth is the same for all.
    ceilings = [float(row["r"]) for row in rows.values() if row["role"] == "ceiling"]
    assert ceilings == pytest.approx([ceilings[0]] * 3, abs=1e-6)
    ridge = {label: rows[f"{label}: lagged ridge on band power"] for label in ("regions", "voxels", "maps")}
    assert {f"{label}: band power network" for label in ridge} <= rows.keys()
    in_regions, own = ({label: float(row[figure]) for label, row in ridge.items()} for figure in ("r", "r_targets"))
    assert in_regions["regions"] == pytest.approx(own["regions"], abs=1e-6)
    # A voxel is noisier than its region.
    assert in_regions["voxels"] > own["voxels"] + 0.05
    assert in_regions["voxels"] == pytest.approx(in_regions["regions"], abs=0.1)
    assert in_regions["maps"] > 0.1
    assert "mean over the regions of evaluation.regions" in " ".join(printed.split())
