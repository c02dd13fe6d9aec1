"""Mistakes that users make: one sentence on stderr, exit code 2, nothing half-written. Each section's own tests hold the rest."""

import shutil

import pytest


def refused(done):
    """The one sentence of a refused job."""
    assert done.returncode == 2, f"{done.returncode}: {done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("job", "overrides", "sentence"),
    [
        ("preprocess", ["recordings.rot=x"], "unknown key 'recordings.rot'; the nearest valid name is 'root'"),
        ("train", ["split.held_out=['09']"], "subject '09' is not in the dataset; it has 01, 02, 03"),
        ("train", ["split={kind: fixed, train: ['01'], validation: ['02'], test: ['01']}"], "sub-01 is named twice"),
        ("train", ["data.target={modality: meg, channels: [MEG9999]}"], "channel 'MEG9999', which the dataset has not"),
        ("train", ["preprocessing.sfreq=125"], "run jobs/preprocess.py first"),
        ("evaluate", ["training.epochs=7"], "not trained with these settings; run python jobs/train.py"),
        ("train", ["model.widht=3"], "unknown key 'model.widht'; the nearest valid name is 'widths'"),
        ("tune", ["model.kind=nothing_known"], "model.kind: there is no 'nothing_known'; known are aim, band_power,"),
        ("train", ["model={kind: my_lab.nets.MyNet}"], "model.kind: 'my_lab.nets.MyNet' cannot be imported"),
        ("tune", ["tuning.space=nowhere"], "there is no space 'nowhere'; known are aim, band_power,"),
        ("tune", ["tuning.space=aim"], "search space search_spaces.aim: unknown key 'model.heads'"),
        ("tune", ["tuning.objectives=[latency]"], "objectives must begin with 'score'"),
        ("tune", ["--trials", "2"], "1 of 3 subjects are set aside for the test, and of the others a search with 1 for validation needs"),
        ("predict", ["--recording", "nowhere.fif"], "nowhere.fif: no such recording"),
        ("predict", ["--recording", "nowhere.fif", "--forward", "own-fwd.fif"], "the task sensors has no use of own-fwd.fif"),
        ("predict", ["--recording", "nowhere.fif", "--fold", "sub-77"], "no such fold; it has sub-01, sub-02, sub-03"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(journey, run_job, tmp_path, job, overrides, sentence):
    experiment, _ = journey
    assert sentence in refused(run_job(job, experiment, *overrides, cwd=tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("job", ["preprocess", "train"])
def test_a_store_that_cannot_be_reached_is_named(journey, run_job, monkeypatch, job):
    experiment, _ = journey
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-never-told")
    done = run_job(job, experiment, "store=s3://bucket/store")
    assert "s3://bucket/store" in refused(done)
    assert "secret-never-told" not in done.stdout + done.stderr


def test_a_damaged_shard_is_refused_before_anything_is_trained(journey, run_job, tmp_path):
    experiment, _ = journey
    store = tmp_path / "store"
    shutil.copytree(experiment.parent / "store", store)
    shutil.rmtree(store / "models")
    damaged = next(store.glob("shards/*/eeg.arrow"))
    with damaged.open("r+b") as file:
        file.seek(-2000, 2)
        file.write(b"damage")
    sentence = refused(run_job("train", experiment, f"store={store}", f"tracking.uri=sqlite:///{tmp_path}/mlflow.db"))
    assert str(damaged) in sentence
    assert "does not match its checksum" in sentence
    assert not list(store.glob("models/*/*"))
