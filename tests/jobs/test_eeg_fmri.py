"""A simulated EEG-fMRI cohort through the jobs, one recording broken in each way: the others are finished, the table tells causes."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from crossmodal.config import load_experiment
from crossmodal.datasets.manifest import load_latest
from crossmodal.datasets.shard import Shard
from tests.jobs.conftest import run

# What is wrong with whom, and what the table must say of it.
CAUSES = {
    "02": "_bold.nii.gz: cannot be read as a recording (",
    "03": "_eeg.eeg: is truncated, it ends within a sample",
    "04": "_bold.json: the sidecar that states the repetition time is missing",
    "05": "volume markers come every 2.000 s, but the image's repetition time is 2.500 s",
    "06": "volume markers, the image has 30 volumes",
    "08": "_eeg.vhdr: has several images (sub-08_task-rest_acq-again_run-01_bold.nii.gz, sub-08_task-rest_run-01_bold.nii.gz); keep one",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("eeg_fmri")
    truth = "cohort/derivatives/truth"
    settings = {
        "name": "tiny",
        "store": "store",
        "simulation": {
            "kind": "eeg_fmri",
            "root": "cohort",
            "subjects": 8,
            "n_volumes": 30,
            "sfreq": 100,
            "n_dipoles": 60,
            "regions": 3,
            "voxel_mm": 16,
            "lead_in_s": [5, 10],
        },
        "recordings": {"kind": "bids_fmri", "root": "cohort", "transforms": f"{truth}/sub-{{subject}}/sub-{{subject}}_to-template.txt"},
        "preprocessing": {
            "modalities": ["eeg", "bold"],
            "lowpass_hz": 20,
            "sfreq": 50,
            "bold": {"targets": {"kind": "regions", "atlas": f"{truth}/atlas.nii.gz", "labels": f"{truth}/atlas.tsv"}},
        },
    }
    (folder / "tiny.yaml").write_text(yaml.safe_dump(settings))
    made = run("simulate", "tiny.yaml", cwd=folder)
    assert made.returncode == 0, made.stderr
    break_recordings(folder / "cohort")
    return folder


def break_recordings(root):
    def files(subject, ending):
        return next((root / f"sub-{subject}").rglob(f"*{ending}"))

    image = files("02", "_bold.nii.gz")
    image.write_bytes(image.read_bytes()[:-5000])
    data = files("03", "_eeg.eeg")
    data.write_bytes(data.read_bytes()[:-1001])
    files("04", "_bold.json").unlink()
    files("05", "_bold.json").write_text('{"RepetitionTime": 2.5}')
    markers = files("06", "_eeg.vmrk")
    markers.write_text("\n".join(markers.read_text().rstrip().splitlines()[:-2]))
    image = files("08", "_bold.nii.gz")
    image.with_name(image.name.replace("_run", "_acq-again_run")).write_bytes(image.read_bytes())


@pytest.fixture(scope="module")
def preprocessed(folder):
    return run("preprocess", "tiny.yaml", cwd=folder)


def test_the_whole_recordings_are_finished_and_the_job_ends_with_one(preprocessed):
    assert preprocessed.returncode == 1, preprocessed.stderr
    assert "made 2, cached 0, failed 6; dataset " in preprocessed.stdout


@pytest.mark.parametrize("subject", CAUSES)
def test_each_broken_recording_is_a_row_with_its_cause(preprocessed, subject):
    (row,) = [line for line in preprocessed.stdout.splitlines() if line.strip().startswith(f"sub-{subject} run 01  ")]
    assert CAUSES[subject] in row


def test_the_dataset_holds_regions_timed_on_the_eegs_clock(preprocessed, folder):
    experiment = load_experiment(folder / "tiny.yaml")
    manifest = load_latest(str(folder / "store"), experiment.dataset_recipe)
    assert manifest.subjects == ("01", "07")
    for entry in manifest.entries:
        shard = Shard.open(Path(entry.uri), verify=True)
        truth = np.load(folder / f"cohort/derivatives/truth/sub-{shard.subject}/sub-{shard.subject}_task-rest_run-01_truth.npz")
        np.testing.assert_allclose(shard.volumes.onset_s, truth["onset_s"])
        assert shard.volumes.names == ("region01", "region02", "region03")
        assert len(shard.names("eeg")) == 70
        driven = truth["response"] - truth["response"].mean(axis=1, keepdims=True)
        good = shard.volumes.good
        found = [np.corrcoef(shard.volumes.data_vs[good, region], driven[region, good])[0, 1] for region in range(3)]
        assert np.mean(found) > 0.5


def test_every_source_is_listed_in_a_line_of_its_own(folder):
    listed = run("preprocess", "--list", cwd=folder)
    assert listed.returncode == 0, listed.stderr
    rows = [line.split(maxsplit=1) for line in listed.stdout.splitlines() if line.strip()]
    assert [kind for kind, _ in rows[1:]] == ["bids", "files", "bids_fmri", "noddi", "oddball", "cn_epfl"]
    assert all(summary.strip() for _, summary in rows)
