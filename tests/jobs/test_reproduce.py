"""jobs/reproduce.py on a run that was trained here: it comes out the same, and what was changed since is told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crossmodal.config import UserError
from crossmodal.datasets.folds import make_folds
from crossmodal.datasets.manifest import shard_uri
from crossmodal.tracking.runs import Tracker
from crossmodal.training.fold import train_fold
from crossmodal.training.journal import Journal
from crossmodal.training.reproduction import read_recorded
from crossmodal.training.runs import run_name
from crossmodal.training.world import World, make_reproducible
from tests.crossmodal.training.cohort import publish_cohort, small_experiment

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """One fold trained as a worker does it, and its run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROSSMODAL_COMMIT", "abc123")
        experiment = small_experiment(tmp_path_factory.mktemp("reproduce"), epochs=2)
        manifest = publish_cohort(experiment)
        run, fold = run_name(experiment, manifest), make_folds(experiment.split, manifest)[0]
        make_reproducible(threads=1)
        with Tracker(experiment.tracking) as tracker, Journal(tracker, experiment, manifest, run, [fold]) as journal:
            train_fold(experiment, manifest, run, fold, World(), journal.record)
        yield experiment, manifest, tracker.find(run, fold.name).info.run_id


def reproduce(experiment, run_id, commit="abc123"):
    command = [sys.executable, "jobs/reproduce.py", run_id, "--tracking", experiment.tracking.uri]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "CROSSMODAL_COMMIT": commit}, capture_output=True, text=True, timeout=500)


@pytest.mark.slow
def test_a_run_comes_out_the_same_and_a_forged_metric_is_told(trained):
    experiment, _, run_id = trained
    done = reproduce(experiment, run_id)
    assert done.returncode == 0, done.stderr
    assert "all metrics of 1 folds came out the same" in done.stdout
    with Tracker(experiment.tracking) as tracker:
        tracker.client.log_metric(run_id, "loss", 0.5, step=1)
    done = reproduce(experiment, run_id)
    assert done.returncode == 1, done.stderr
    assert "1 figures of" in done.stdout
    assert "fold sub-1, epoch 2, loss: was 0.5, is " in done.stdout


@pytest.mark.slow
def test_code_that_cannot_be_checked_is_told_beside_the_metrics(trained):
    done = reproduce(trained[0], trained[2], commit="abc123-dirty")
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[-1] == (
        "cannot be checked: whether the code is the same; the run was made by commit abc123, and this is abc123-dirty"
    )


@pytest.mark.parametrize("now", ["abc123-dirty", "abc123-changes-unknown", "unknown"])
def test_a_commit_that_cannot_be_checked_is_listed(trained, monkeypatch, now):
    monkeypatch.setenv("CROSSMODAL_COMMIT", now)
    (unchecked,) = read_recorded(trained[0].tracking, trained[2]).unchecked
    assert unchecked == f"cannot be checked: whether the code is the same; the run was made by commit abc123, and this is {now}"
    monkeypatch.setenv("CROSSMODAL_COMMIT", "abc123")
    assert read_recorded(trained[0].tracking, trained[2]).unchecked == ()


def test_another_commit_is_told(trained, monkeypatch):
    monkeypatch.setenv("CROSSMODAL_COMMIT", "def456")
    with pytest.raises(UserError, match="was made by commit abc123, and this is def456; git checkout abc123 first"):
        read_recorded(trained[0].tracking, trained[2])


def test_a_run_that_is_not_there_is_told(trained):
    with pytest.raises(UserError, match="is no training run"):
        read_recorded(trained[0].tracking, "0" * 32)


def test_settings_that_this_code_does_not_take_are_told_as_those_of_a_file(trained, monkeypatch):
    experiment = trained[0]
    monkeypatch.setenv("CROSSMODAL_COMMIT", "abc123")
    settings = experiment.model_dump(mode="json")
    settings["training"]["epohcs"] = 3
    with Tracker(experiment.tracking) as tracker:
        run_id = tracker.start("of-another-version")
        tracker.start("of-another-version", "sub-1", run_id)
        tracker.log_json(run_id, settings, "experiment.json")
    told = r"does not take its settings \(unknown key 'training\.epohcs'; the nearest valid name is 'epochs'\); check out the commit"
    with pytest.raises(UserError, match=told):
        read_recorded(experiment.tracking, run_id)


def test_a_changed_recording_is_told(trained, monkeypatch):
    experiment, manifest, run_id = trained
    monkeypatch.setenv("CROSSMODAL_COMMIT", "abc123")
    assert read_recorded(experiment.tracking, run_id).manifest == manifest
    first, second = (Path(shard_uri(experiment.store, f"shard-{number}")) for number in (0, 1))
    aside = first.with_name("aside")
    first.rename(aside)
    with pytest.raises(UserError, match=r"sub-1 run 01 is no longer in the store"):
        read_recorded(experiment.tracking, run_id)
    second.rename(first)
    with pytest.raises(UserError, match="its checksum differs"):
        read_recorded(experiment.tracking, run_id)
    first.rename(second)
    aside.rename(first)


def test_a_deleted_dataset_is_told(trained, monkeypatch):
    experiment, manifest, run_id = trained
    monkeypatch.setenv("CROSSMODAL_COMMIT", "abc123")
    listed = Path(experiment.store, "datasets", f"{manifest.fingerprint}.json")
    listed.rename(listed.with_name("aside"))
    with pytest.raises(UserError, match=rf"{listed}: the dataset is no longer there; run jobs/preprocess.py"):
        read_recorded(experiment.tracking, run_id)
    listed.with_name("aside").rename(listed)
