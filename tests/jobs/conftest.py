"""Jobs run as users run them: as commands, on a small cohort that goes the whole way once."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


def run(
    job: str, *arguments: str | Path, cwd: Path | None = None, timeout_s: float = 300, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a job script as a command of its own, with further environment variables."""
    command = [sys.executable, str(ROOT / "jobs" / f"{job}.py"), *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"} | variables
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=timeout_s)


@pytest.fixture(scope="session", name="run_job")
def _run_job() -> Callable[..., subprocess.CompletedProcess[str]]:
    return run


@pytest.fixture(scope="session")
def journey(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Take three simulated subjects all the way; give the experiment and what each job printed."""
    folder = tmp_path_factory.mktemp("journey")
    experiment = folder / "tiny.yaml"
    settings = {
        "name": "tiny",
        "store": str(folder / "store"),
        "simulation": {"root": str(folder / "cohort"), "subjects": 3, "duration_s": 30, "n_dipoles": 200, "source_moment_am": 5e-9},
        "recordings": {"kind": "bids", "root": str(folder / "cohort")},
        "data": {"windows": {"kind": "sliding", "length_s": 2, "hop_s": 1}},
        "model": {"widths": [4, 8], "bridge_hidden": 4, "bridge_layers": 1, "norm": "none", "input_skip": {"filters": 2, "taps": 5}},
        "training": {"epochs": 2, "workers": 2},
        "tracking": {"uri": f"sqlite:///{folder}/mlflow.db", "experiment": "tiny"},
    }
    experiment.write_text(yaml.safe_dump(settings))
    printed = {}
    for job in ("simulate", "preprocess", "train", "evaluate"):
        done = run(job, experiment, cwd=folder)
        assert done.returncode == 0, f"{job}: {done.stdout}\n{done.stderr}"
        printed[job] = done.stdout
    return experiment, printed
