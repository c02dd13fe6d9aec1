"""A BIDS dataset of EEG with one recording broken in each way: the others are finished, the table tells each cause."""

import mne
import nibabel
import numpy as np
import pytest
import yaml

from crossmodal.config import load_experiment
from crossmodal.datasets.manifest import load_latest
from crossmodal.storage.uri import join, open_fs
from tests.jobs.conftest import run
from tests.preprocessing.readers import layouts

# What is wrong with whom, and what the table must say of it.
CAUSES = {
    "02": "_eeg.eeg: is truncated, it ends within a sample",
    "03": "_eeg.set: cannot be read as a recording (",
    "04": "_coordsystem.json: is missing, and says in which coordinates",
    "05": "_events.tsv: 1 of 2 events begin past the end of the recording at 12.00 s, the first at 40.00 s",
    "06": "_eeg.edf: is sub-06 run 01, and so is ",
    "07": "_eeg.vhdr: is sampled at 250 Hz, others at 200 Hz; set preprocessing.sfreq",
    "08": "_eeg.fif: bad channels C3 (NaN); set preprocessing.bad_channels=interpolate",
    "09": "_eeg.fif: cannot be read as a recording (",
    "12": "sub-12_task-x_run-01_events.tsv: is missing, and other recordings of task-x have theirs (sub-01_task-x_run-01_events.tsv)",
    "13": "sub-13_task-x_run-01_channels.tsv: is missing, and other recordings of task-x have theirs (sub-01_task-x_run-01_channels.tsv)",
    "14": "_eeg.vhdr: its EEG is that of sub-15 run 01, sample for sample; keep it under the right label",
    "15": "_eeg.vhdr: its EEG is that of sub-14 run 01, sample for sample; keep it under the right label",
    "11": "_eeg.vhdr: differs from other recordings in its EEG channels: it lacks O2 and has Pz besides; leave it out",
}


SIDECARS = {"events": "onset\tduration\n1\t0\n", "channels": "name\ttype\nFp1\tEEG\n"}


def write(root, subject, extension, sfreq=200.0, last="O2", seed=None):
    info = mne.create_info(["Fp1", "Fp2", "C3", "C4", "O1", last], sfreq, "eeg")
    raw = mne.io.RawArray(2e-5 * np.random.default_rng(seed or int(subject)).standard_normal((6, round(12 * sfreq))), info, verbose="error")
    raw.set_montage("colin27_1020", verbose="error")
    path = root / f"sub-{subject}/eeg/sub-{subject}_task-x_run-01_eeg{extension}"
    path.parent.mkdir(parents=True, exist_ok=True)
    if extension == ".fif":
        raw.save(path, verbose="error")
    else:
        mne.export.export_raw(path, raw, verbose="error")
    for name, text in SIDECARS.items():
        path.with_name(f"{path.name.partition('_eeg')[0]}_{name}.tsv").write_text(text)
    return path


def break_recordings(root):
    data = write(root, "02", ".vhdr").with_suffix(".eeg")
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 2 + 3])
    whole = write(root, "03", ".set")
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    write(root, "04", ".vhdr")
    (root / "sub-04/eeg/sub-04_electrodes.tsv").write_text("name\tx\ty\tz\nFp1\t0\t0.1\t0\n")
    write(root, "05", ".vhdr")
    (root / "sub-05/eeg/sub-05_task-x_run-01_events.tsv").write_text("onset\tduration\n1\t0\n40\t0\n")
    write(root, "06", ".vhdr")
    write(root, "06", ".edf")
    write(root, "07", ".vhdr", sfreq=250.0)
    broken = write(root, "08", ".fif")
    raw = mne.io.read_raw_fif(broken, preload=True, verbose="error")
    raw["C3", 100] = np.nan
    raw.save(broken, overwrite=True, verbose="error")
    truncated = write(root, "09", ".fif")
    truncated.write_bytes(truncated.read_bytes()[: truncated.stat().st_size // 2])
    write(root, "11", ".vhdr", last="Pz")
    write(root, "14", ".vhdr")
    write(root, "15", ".vhdr", seed=14)
    for subject, name in (("12", "events"), ("13", "channels")):
        write(root, subject, ".vhdr").with_name(f"sub-{subject}_task-x_run-01_{name}.tsv").unlink()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("broken")
    for subject in ("01", "10"):
        write(folder / "ds", subject, ".vhdr")
    break_recordings(folder / "ds")
    settings = {
        "name": "broken",
        "store": "store",
        "recordings": {"kind": "bids", "root": "ds", "datatype": "eeg"},
        "preprocessing": {"modalities": ["eeg"], "sfreq": None},
    }
    (folder / "broken.yaml").write_text(yaml.safe_dump(settings))
    return folder


@pytest.fixture(scope="module")
def done(folder):
    return run("preprocess", "broken.yaml", cwd=folder)


def test_whole_recordings_are_finished_and_the_job_ends_with_one(done, folder):
    assert done.returncode == 1, done.stderr
    assert "made 2, cached 0, failed 14; dataset " in done.stdout
    experiment = load_experiment(folder / "broken.yaml")
    assert load_latest(str(folder / "store"), experiment.dataset_recipe).subjects == ("01", "10")


@pytest.mark.parametrize("subject", CAUSES)
def test_each_broken_recording_is_a_row_with_its_cause(done, subject):
    rows = [line for line in done.stdout.splitlines() if line.strip().startswith(f"sub-{subject} run 01  ")]
    assert rows, done.stdout
    assert any(CAUSES[subject] in row for row in rows), rows
    assert not any("Traceback" in row for row in rows)


def test_two_recordings_that_differ_in_channels_are_no_dataset(done, folder):
    refused = run("preprocess", "broken.yaml", "recordings.subjects=['01', '11']", cwd=folder)
    assert refused.returncode == 2, refused.stdout + refused.stderr
    told = "error: sub-11 run 01 differs from other recordings in its EEG channels: it lacks O2 and has Pz besides;"
    assert refused.stderr.splitlines()[-1].startswith(told)


@pytest.mark.slow
def test_rates_that_differ_are_no_matter_where_all_are_resampled(folder):
    resampled = run("preprocess", "broken.yaml", "preprocessing.sfreq=100", "recordings.subjects=['01', '07']", cwd=folder)
    assert resampled.returncode == 0, resampled.stderr
    assert "made 2, cached 0, failed 0" in resampled.stdout


def guarded(kind, file, root):
    """Settings of an experiment that needs the guarded store."""
    if kind == "atlas":
        layouts.cn_epfl(root, "02")
        bold = {"targets": {"kind": "regions", "atlas": file}}
        recordings = {"kind": "cn_epfl", "root": str(root)}
        return {"recordings": recordings, "preprocessing": {"modalities": ["eeg", "bold"], "bold": bold}}
    places = {"files": {"files": [{"path": file, "subject": "01"}]}, "bids": {"root": file.partition("/sub-01/")[0], "datatype": "eeg"}}
    recordings = {"kind": kind, **places.get(kind, {"root": file.partition("/sub-01/")[0]})}
    return {"recordings": recordings, "preprocessing": {"modalities": ["eeg"]}}


@pytest.mark.parametrize(
    ("kind", "credentials"), [("bids", "wrong"), ("files", "missing"), ("noddi", "missing"), ("oddball", "wrong"), ("atlas", "wrong")]
)
def test_credentials_that_are_wrong_or_missing_are_told_and_never_printed(s3, folder, kind, credentials, tmp_path):
    filesystem, path = open_fs(join(s3, "guarded"))
    filesystem.put(f"{folder}/ds/sub-01/", f"{path}/sub-01/", recursive=True)
    file = join(s3, "guarded/sub-01/eeg/sub-01_task-x_run-01_eeg.vhdr")
    settings = {"name": "guarded", "store": "store", **guarded(kind, file, tmp_path / "ds")}
    (tmp_path / "guarded.yaml").write_text(yaml.safe_dump(settings))
    keys = {"wrong": ("crossmodal-test", "secret-never-told"), "missing": ("", "")}[credentials]
    environment = {"AWS_ACCESS_KEY_ID": keys[0], "AWS_SECRET_ACCESS_KEY": keys[1], "AWS_SHARED_CREDENTIALS_FILE": "/nowhere"}
    refused = run("preprocess", "guarded.yaml", cwd=tmp_path, AWS_EC2_METADATA_DISABLED="true", **environment)
    assert refused.returncode == 2, refused.stdout + refused.stderr
    assert len(refused.stderr.splitlines()) == 1, refused.stderr
    assert "s3://bucket/guarded" in refused.stderr
    assert {"wrong": "the store refused", "missing": "no credentials"}[credentials] in refused.stderr
    assert "secret-never-told" not in refused.stdout + refused.stderr
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("atlas", "labels", "told"),
    [
        ((16, 16, 12), "1\tleft\n2\tright\n", "preprocessing.bold.targets.atlas is on another grid, 16 x 16 x 12 voxels"),
        ((8, 8, 6), "1\tleft\n", "preprocessing.bold.targets.labels: has no row for region 2 of the atlas"),
    ],
)
def test_an_atlas_that_does_not_fit_is_told_in_a_sentence_and_nothing_is_published(tmp_path, atlas, labels, told):
    layouts.cn_epfl(tmp_path / "ds", "02")
    numbers = np.zeros(atlas, dtype=np.int16)
    numbers[2:4, 2:-2, 1:-1], numbers[4:6, 2:-2, 1:-1] = 1, 2
    nibabel.save(nibabel.Nifti1Image(numbers, np.diag([3.0, 3.0, 4.0, 1.0])), tmp_path / "atlas.nii.gz")
    (tmp_path / "labels.tsv").write_text(f"index\tname\n{labels}")
    targets = {"kind": "regions", "atlas": "atlas.nii.gz", "labels": "labels.tsv"}
    preprocessing = {"modalities": ["eeg", "bold"], "bold": {"targets": targets}}
    settings = {"name": "x", "store": "store", "recordings": {"kind": "cn_epfl", "root": "ds"}, "preprocessing": preprocessing}
    (tmp_path / "x.yaml").write_text(yaml.safe_dump(settings))
    refused = run("preprocess", "x.yaml", cwd=tmp_path)
    assert refused.returncode == 2, refused.stdout + refused.stderr
    assert told in refused.stderr.splitlines()[-1]
    assert not list((tmp_path / "store").rglob("*.json"))
