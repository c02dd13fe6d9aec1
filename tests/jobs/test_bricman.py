"""The networks of Bricman and Borst and the newer ones by the commands and files that users take, made small."""

import csv

import pytest

from tests.jobs.conftest import ROOT, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
EXPERIMENTS = ROOT / "jobs/experiments"
ATLAS = "runs/eeg_fmri/cohort/derivatives/truth/atlas.nii.gz"
COHORT = (
    "simulation.subjects=3",
    "simulation.n_volumes=60",
    "simulation.sfreq=100",
    "simulation.n_dipoles=60",
    "simulation.regions=3",
    "simulation.voxel_mm=16",
    "simulation.lead_in_s=[20, 25]",
)
SMALL = ("training.epochs=1", "split.held_out=['01']", "tracking.uri=sqlite:///mlflow.db")
VOXELS = (f"preprocessing.bold.grid={ATLAS}", f"preprocessing.bold.targets={{kind: voxels, mask: {ATLAS}}}", "name=voxels")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bricman")
    for job, settings in (("simulate", ()), ("preprocess", ()), ("preprocess", VOXELS)):
        done = run(job, EXPERIMENTS / "bricman.yaml", *COHORT, *settings, cwd=folder)
        assert done.returncode == 0, f"{job}: {done.stdout}\n{done.stderr}"
    return folder


@pytest.mark.parametrize(
    "name", ["bricman", "bricman_cnn", "bricman_fc", "bricman_transformer", "multiscale_attention", "spectrogram_unet"]
)
def test_each_experiment_is_trained(cohort, name):
    done = run("train", EXPERIMENTS / f"{name}.yaml", *COHORT, *SMALL, cwd=cohort)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_slices_of_voxels_are_trained_scored_beside_a_void_row_and_predicted(cohort):
    settings = (*COHORT, *SMALL, *VOXELS)
    for job in ("train", "evaluate"):
        done = run(job, EXPERIMENTS / "bricman_seq2seq.yaml", *settings, cwd=cohort)
        assert done.returncode == 0, f"{job}: {done.stdout}\n{done.stderr}"
    (table,) = cohort.rglob("store/scores/voxels*/**/scores.csv")
    with table.open(newline="") as file:
        roles = {row["predictor"]: row["role"] for row in csv.DictReader(file)}
    assert roles["Bricman slice by slice"] == "model"
    assert roles["network told the slices before each"] == "void"
    recording = next(cohort.rglob("sub-02*_eeg.vhdr"))
    done = run(
        "predict", EXPERIMENTS / "bricman_seq2seq.yaml", *settings, "--recording", recording, "--output", "v_bold.nii.gz", cwd=cohort
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "override", "sentence"),
    [
        ("bricman", "model.pool=800", "model.stride: a window is 3000 samples at 100 Hz, and 800 outputs of filters"),
        ("bricman_seq2seq", "evaluation.teacher_forcing=true", "evaluation.teacher_forcing: a prediction that was told the truth is void"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(cohort, name, override, sentence):
    done = run("train", EXPERIMENTS / f"{name}.yaml", *COHORT, *SMALL, override, cwd=cohort)
    assert done.returncode == 2, done.stderr
    assert sentence in done.stderr
