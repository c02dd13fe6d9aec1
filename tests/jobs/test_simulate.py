"""`jobs/simulate.py` makes a cohort once, and says what it did."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def simulate(experiment, *overrides):
    command = [sys.executable, str(ROOT / "jobs" / "simulate.py"), str(experiment), *overrides]
    return subprocess.run(command, capture_output=True, text=True, cwd=experiment.parent)


def test_cohort_is_made_once_and_never_overwritten(tmp_path):
    experiment = tmp_path / "experiment.yaml"
    settings = "{root: cohort, subjects: 1, duration_s: 6, sfreq: 50, n_dipoles: 10}"
    experiment.write_text(f"name: small\nsimulation: {settings}\nrecordings: {{kind: bids, root: cohort}}\n")
    first = simulate(experiment)
    assert first.returncode == 0, first.stderr
    assert first.stdout == "cohort: 1 of 1 subjects made\n"
    assert [path.name for path in (tmp_path / "cohort").glob("sub-*")] == ["sub-01"]

    assert simulate(experiment).stdout == "cohort: nothing to make, the cohort is there\n"

    other = simulate(experiment, "simulation.seed=1")
    assert other.returncode == 2
    assert "error: simulation.root: cohort was made with another seed; remove it or give another folder" in " ".join(other.stderr.split())


def test_experiment_without_a_simulation_is_told_so(tmp_path):
    experiment = tmp_path / "experiment.yaml"
    experiment.write_text("name: real\nrecordings: {kind: bids, root: data}\n")
    refused = simulate(experiment)
    assert refused.returncode == 2
    assert "it has no 'simulation' section" in refused.stderr
