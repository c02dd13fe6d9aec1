"""A night of each task beside EEG to MEG: it promotes what is better than the trivial prediction, on subjects that no search has seen."""

import pytest
from mlflow import MlflowClient

from tests.jobs.conftest import ROOT, run
from tests.jobs.test_volumes import SMALL

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

DATE = "2026-03-01"
NIGHT = (
    "tuning.folds=2",
    "tuning.stop.trials=1",
    "tuning.test_subjects=['01', '02']",
    "training.workers=1",
    "tracking.uri=sqlite:///mlflow.db",
)
VOLUMES = (*SMALL, "simulation.subjects=12", "training.epochs=8", *NIGHT)
CORTEX = ("cortex={subjects: 12, samples: 800}", "training.epochs=8", *NIGHT)


@pytest.mark.parametrize(
    ("name", "settings", "words", "recordings"),
    [("eeg_fmri", VOLUMES, "temporal r", True), ("cortex", CORTEX, "explained variance", False)],
    ids=["volumes", "cortex"],
)
def test_a_night_promotes_what_predicts(tmp_path, name, settings, words, recordings):
    experiment = ROOT / f"jobs/experiments/{name}.yaml"
    if recordings:
        made = run("simulate", experiment, *settings, cwd=tmp_path)
        assert made.returncode == 0, made.stderr
    done = run("nightly", experiment, *settings, "--date", DATE, cwd=tmp_path, timeout_s=1200)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stdout.startswith("Promoted: "), f"{done.stdout}\n{done.stderr}"
    version = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db").get_model_version_by_alias(name, "champion")
    assert version.version == "1"
    page = (tmp_path / f"runs/{name}/store/nights/{name}/{DATE}/digest.html").read_text()
    assert f"{words.capitalize()} of left-out development subjects" in page
    assert ("Recordings:" in page) == recordings
