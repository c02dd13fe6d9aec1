"""EEG to BOLD by the commands and the file that users take, made small: regions and voxels from a simulation to a predicted image."""

import csv

import nibabel
import numpy as np
import pytest
from scipy.stats import pearsonr

from crossmodal.config import load_experiment
from tests.jobs.conftest import ROOT, run

EXPERIMENT = ROOT / "jobs/experiments/eeg_fmri.yaml"
SMALL = (
    "simulation.subjects=4",
    "simulation.n_volumes=80",
    "simulation.sfreq=100",
    "simulation.n_dipoles=60",
    "simulation.regions=3",
    "simulation.voxel_mm=16",
    "simulation.lead_in_s=[20, 25]",
    "training.epochs=3",
    "tracking.uri=sqlite:///mlflow.db",
)
ATLAS = "runs/eeg_fmri/cohort/derivatives/truth/atlas.nii.gz"
VOXELS = (
    *SMALL,
    "name=voxels",
    f"preprocessing.bold.grid={ATLAS}",
    f"preprocessing.bold.targets={{kind: voxels, mask: {ATLAS}}}",
    "store=runs/voxels/store",
)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("volumes")
    made = run("simulate", EXPERIMENT, *SMALL, cwd=folder)
    assert made.returncode == 0, made.stderr
    return folder


def rows(folder):
    """Rows of the one table in a folder, by predictor."""
    (table,) = folder.rglob("store/**/scores.csv")
    with table.open(newline="") as file:
        return {row["predictor"]: row for row in csv.DictReader(file)}


def go(folder, settings):
    for job in ("preprocess", "train", "evaluate"):
        done = run(job, EXPERIMENT, *settings, cwd=folder)
        assert done.returncode == 0, f"{job}: {done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.slow
def test_regions_go_the_whole_way(cohort):
    assert "beyond phys.: partial r given heart rate" in go(cohort, SMALL)
    scored = rows(cohort / "runs/eeg_fmri")
    assert list(scored) == [
        "band power network",
        "training mean",
        "lagged ridge on band power",
        "calibrated lagged ridge on band power",
        "vigilance",
        "heart rate alone",
        "respiration alone",
        "motion alone",
        "global signal alone",
        "own mean",
        "previous volume",
        "network on EEG of another subject",
        "network on EEG shifted by a third",
        "network on phase-randomised EEG",
        "true power through blood",
    ]
    r = {name: float(row["r"]) for name, row in scored.items()}
    assert r["training mean"] == r["own mean"] == 0
    assert r["true power through blood"] > r["lagged ridge on band power"] > 0.3
    assert abs(r["network on EEG of another subject"]) < 0.3
    assert abs(r["network on phase-randomised EEG"]) < 0.3
    assert float(scored["training mean"]["skill"]) == 0
    assert {path.name for path in (cohort / "runs/eeg_fmri").rglob("*sub-01.png")} == {
        "courses_sub-01.png",
        "map_sub-01.png",
        "lags_sub-01.png",
    }
    recording = next(cohort.rglob("sub-01*_eeg.vhdr"))
    done = run("predict", EXPERIMENT, *SMALL, "--recording", recording, "--output", "v_bold.nii.gz", cwd=cohort)
    assert done.returncode == 0, done.stderr
    image = nibabel.load(cohort / "v_bold.nii.gz")
    assert image.header.get_zooms()[3] == load_experiment(EXPERIMENT, SMALL).simulation.tr_s
    told = np.genfromtxt(cohort / "v_bold.tsv", names=True)
    truth = np.load(next(cohort.rglob("sub-01*_truth.npz")))
    response = np.interp(told["onset"], truth["onset_s"], truth["response"][0])
    assert pearsonr(told["region01"], response).statistic > 0
    again = run("predict", EXPERIMENT, *SMALL, "--recording", recording, "--output", "v.fif", cwd=cohort)
    assert again.returncode == 2
    assert "volumes are written as NIfTI" in again.stderr


@pytest.mark.slow
def test_voxels_go_the_whole_way(cohort):
    go(cohort, VOXELS)
    scored = rows(cohort / "runs/voxels")
    images = {name: [float(scored[name][figure]) for figure in ("ssim", "psnr", "rmse_si")] for name in ("training mean", "own mean")}
    # The simulated brain is flat: there is no anatomy that a mean volume could know.
    assert 0.9 > images["own mean"][0] > images["training mean"][0] > 0
    assert images["own mean"][2] < images["training mean"][2]
    assert float(scored["true power through blood"]["r"]) > float(scored["lagged ridge on band power"]["r"]) > 0.1
    recording = next(cohort.rglob("sub-02*_eeg.vhdr"))
    done = run("predict", EXPERIMENT, *VOXELS, "--recording", recording, "--output", "voxels_bold.nii.gz", cwd=cohort)
    assert done.returncode == 0, done.stderr
    atlas = nibabel.load(cohort / ATLAS)
    data = nibabel.load(cohort / "voxels_bold.nii.gz").get_fdata()
    np.testing.assert_array_equal(data.any(axis=3), np.asarray(atlas.dataobj) > 0)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("model={kind: aim}", "model.kind: 'aim' predicts signals, and windows of kind volumes have volumes to predict; choose band_power"),
        ("data.target={modality: bold, channels: [region01]}", "data.target.channels: asks for region 'region01'"),
        ("training.choose_epoch_by=explained_variance", "the task volumes has no 'explained_variance'"),
    ],
)
def test_what_has_no_meaning_for_volumes_is_refused_in_a_sentence(tmp_path, override, sentence):
    done = run("train", EXPERIMENT, *VOXELS, override, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert sentence in done.stderr
