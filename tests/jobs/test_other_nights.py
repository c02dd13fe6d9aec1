"""A night of each task beside EEG to MEG: it promotes what is better than the trivial prediction, on subjects that no search has seen."""

import pytest
from mlflow import MlflowClient

from search_spaces.eeg_fmri_models import FIRST
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
    assert str(version.version) == "1"
    page = (tmp_path / f"runs/{name}/store/nights/{name}/{DATE}/digest.html").read_text()
    assert f"{words.capitalize()} of left-out development subjects" in page
    assert ("Recordings:" in page) == recordings


def test_a_night_over_all_networks_shows_the_best_trial_of_each(tmp_path):
    experiment = ROOT / "jobs/experiments/eeg_fmri_night.yaml"
    smaller = ("sessions=1", "runs=1", "subjects=5", "n_volumes=30", "sfreq=100", "n_dipoles=60", "regions=4", "voxel_mm=16")
    night = ("training.epochs=1", "tuning.test_subjects=['01']", "tuning.stop.trials=10", "tracking.uri=sqlite:///mlflow.db")
    settings = (*(f"simulation.{setting}" for setting in smaller), "simulation.oddball=null", "simulation.lead_in_s=[30, 35]", *night)
    made = run("simulate", experiment, *settings, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    done = run("nightly", experiment, *settings, "--date", DATE, cwd=tmp_path, timeout_s=1200)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    page = (tmp_path / f"runs/eeg_fmri_night/store/nights/eeg_fmri_night/{DATE}/digest.html").read_text()
    board = page.split("Models: the best trial of each")[1].split("Subjects:")[0]
    assert board.count("1 finished") == len(FIRST) == 10
    for number, parameters in enumerate(FIRST):
        assert f"trial {number}, {parameters['model']}: " in board
    assert len(list((tmp_path / "runs/eeg_fmri_night/store/models").glob("*-0004-calhas-*"))) == 1
