"""The public EEG-fMRI datasets in their own layouts, by the commands and experiments that users take: the papers' networks and inputs."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import pytest

from crossmodal.config import load_experiment
from crossmodal.datasets.manifest import load_latest
from crossmodal.datasets.shard import Shard
from crossmodal.tasks.volumes.physiology import regressors
from tests.jobs.conftest import ROOT, run
from tests.preprocessing.readers import layouts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
N_VOLUMES = 40
# Of the cap that NODDI and CN-EPFL were recorded with.
CAP = (
    *("Fp1", "Fp2", "F3", "F4", "C3", "C4", "P3", "P4", "O1", "O2", "F7", "F8", "T7", "T8", "P7", "P8", "Fz", "Cz", "Pz", "Oz", "FC1"),
    *("FC2", "CP1", "CP2", "FC5", "FC6", "CP5", "CP6", "TP9", "TP10", "POz", "ECG", "F1", "F2", "C1", "C2", "P1", "P2", "AF3", "AF4"),
    *("FC3", "FC4", "CP3", "CP4", "PO3", "PO4", "F5", "F6", "C5", "C6", "P5", "P6", "AF7", "AF8", "FT7", "FT8", "TP7", "TP8", "PO7"),
    *("PO8", "FT9", "FT10", "Fpz", "CPz"),
)


def write_noddi(root: Path) -> None:
    """The scanner starts later into each EEG; motion parameters are SPM's."""
    for seed, (subject, first) in enumerate({"32": 36, "35": 2393, "36": 1859}.items()):
        layouts.noddi(root, subject, N_VOLUMES, first, CAP, seed)
        np.savetxt(root / f"fMRI/{subject}/rp_{subject}.txt", layouts.motion(N_VOLUMES, seed))


def write_oddball(root: Path) -> None:
    """Motion parameters are FSL's, rotations first."""
    for seed, subject in enumerate(("sub001", "sub002", "sub003")):
        layouts.oddball(root, subject, "task001_run001", N_VOLUMES, seed)
        motion = np.roll(layouts.motion(N_VOLUMES, seed), 3, axis=1)
        np.savetxt(root / subject / "BOLD/task001_run001/bold_mcf.par", motion)


def write_cn_epfl(root: Path) -> None:
    """Raw, at 5 kHz; motion parameters are fMRIPrep's."""
    for seed, subject in enumerate(("02", "03", "04")):
        layouts.cn_epfl(root, subject, n_volumes=N_VOLUMES, names=CAP, sfreq=5000.0, seed=seed)
        header = "\t".join(("trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"))
        confounds = root / f"derivatives/fmriprep/sub-{subject}_ses-001_task-main_run-001_desc-confounds_timeseries.tsv"
        confounds.parent.mkdir(parents=True, exist_ok=True)
        np.savetxt(confounds, layouts.motion(N_VOLUMES, seed), delimiter="\t", header=header, comments="")


@dataclass(frozen=True)
class Dataset:
    """A dataset, the experiment on it, the subject that is left out, and what is special about it; `{root}` is where it lies."""

    experiment: str
    write: Callable[[Path], None]
    held_out: str
    settings: tuple[str, ...]
    recording: str
    n_electrodes: int
    model: str
    tr_s: float


DATASETS = {
    "noddi": Dataset(
        "calhas_noddi",
        write_noddi,
        "32",
        ("recordings.motion={root}/fMRI/{{subject}}/rp_{{subject}}.txt",),
        "EEG/35/export/35.vhdr",
        63,
        "Calhas & Henriques, attention, random Fourier features",
        2.16,
    ),
    "oddball": Dataset(
        "bricman_oddball",
        write_oddball,
        "sub001",
        ("recordings.motion={root}/{{subject}}/BOLD/{{run}}/bold_mcf.par",),
        "sub002/EEG/task001_run001/EEG_rereferenced.mat",
        34,
        "Bricman convolutional",
        2.0,
    ),
    "cn_epfl": Dataset(
        "calhas_cn_epfl",
        write_cn_epfl,
        "02",
        (
            "recordings.anonymous=false",
            "recordings.endpoint_url=null",
            "recordings.motion={root}/derivatives/fmriprep/{{name}}_desc-confounds_timeseries.tsv",
        ),
        "sub-03/ses-001/eeg/sub-03_ses-001_task-main_run-001_eeg.vhdr",
        63,
        "Calhas & Henriques, attention, random Fourier features",
        1.28,
    ),
}


@dataclass(frozen=True)
class Prepared:
    """Where a dataset was preprocessed."""

    folder: Path
    experiment: Path
    settings: tuple[str, ...]

    def job(self, name, *more):
        return run(name, self.experiment, *self.settings, *more, cwd=self.folder, timeout_s=600)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Write and preprocess a dataset once."""
    known: dict[str, Prepared] = {}

    def prepare(name):
        if name not in known:
            dataset, folder = DATASETS[name], tmp_path_factory.mktemp(name)
            root = folder / "data"
            dataset.write(root)
            settings = (
                f"recordings.root={root}",
                *(setting.format(root=root) for setting in dataset.settings),
                f"split.held_out=['{dataset.held_out}']",
                "training.epochs=2",
                "training.workers=1",
                "store=store",
                "tracking.uri=sqlite:///mlflow.db",
            )
            made = Prepared(folder, ROOT / f"jobs/experiments/{dataset.experiment}.yaml", settings)
            done = made.job("preprocess")
            assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
            known[name] = made
        return known[name]

    return prepare


@pytest.mark.parametrize("name", DATASETS)
def test_it_goes_the_whole_way_with_heart_and_motion_taken_out_of_the_score(prepared, name):
    dataset, made = DATASETS[name], prepared(name)
    experiment = load_experiment(made.experiment, made.settings)
    manifest = load_latest(str(made.folder / "store"), experiment.dataset_recipe)
    assert len(manifest.subjects) == 3
    for entry in manifest.entries:
        shard = Shard.open(Path(entry.uri), verify=True)
        assert (len(shard.names("eeg")), shard.sfreq, shard.volumes.tr_s) == (dataset.n_electrodes, 250, pytest.approx(dataset.tr_s))
        assert shard.volumes.data_vs.shape == (N_VOLUMES, 8 * 8 * 6)
        assert {"heart rate, +0 s", "motion x", "motion rotation z, change"} <= set(regressors(shard).names)
    for job in ("train", "evaluate"):
        done = made.job(job)
        assert done.returncode == 0, f"{job}: {done.stdout}\n{done.stderr}"
    assert "beyond phys.: partial r given heart rate" in done.stdout
    (table,) = (made.folder / "store/scores").rglob("scores.csv")
    with table.open(newline="") as file:
        rows = {row["predictor"]: row for row in csv.DictReader(file)}
    assert rows[dataset.model]["role"] == "model"
    # In noise there is nothing to foresee.
    assert abs(float(rows[dataset.model]["r"])) < 0.2
    assert abs(float(rows[dataset.model]["partial_r"])) < 0.2
    done = made.job("predict", "--recording", made.folder / "data" / dataset.recording, "--output", "v_bold.nii.gz")
    assert done.returncode == 0, done.stderr
    assert "gradients stay" not in done.stdout
    image = nibabel.load(made.folder / "v_bold.nii.gz")
    assert image.shape[:3] == (8, 8, 6)
    assert image.header.get_zooms()[3] == pytest.approx(dataset.tr_s)
    assert np.isfinite(image.get_fdata()).all()


@pytest.mark.parametrize(
    ("name", "job", "override", "sentence"),
    [
        ("noddi", "train", "model.tr_s=2", "model.tr_s: spectra of 2 s do not go with volumes every 2.16 s; leave it out or set 2.16"),
        (
            "noddi",
            "train",
            "data.windows.length_s=100",
            "sub-32 run 01: its 40 volumes last 86.4 s, less than the window of 100 s before each; leave it out of recordings or shorten",
        ),
        ("oddball", "train", "model.pool=4000", "model.stride: a window is 7500 samples at 250 Hz, and 4000 outputs of filters of 49 taps"),
        (
            "oddball",
            "evaluate",
            "evaluation.teacher_forcing=true",
            "evaluation.teacher_forcing: a prediction that was told the truth is void",
        ),
    ],
)
def test_what_does_not_go_with_the_data_ends_with_a_sentence_and_nothing_is_published(prepared, name, job, override, sentence):
    made = prepared(name)
    refused = made.job(job, "name=refused", override)
    assert refused.returncode == 2, refused.stdout + refused.stderr
    assert sentence in refused.stderr.splitlines()[-1]
    assert "Traceback" not in refused.stderr
    assert not list((made.folder / "store").rglob("models/refused*/*"))
