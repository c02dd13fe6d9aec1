"""A night that fails leaves something to read: a page, a record, a message, and an exit code that says what kind of failure it was."""

import os
import shutil

import pytest
from mlflow import MlflowClient

from crossmodal.nightly.record import nights_uri, read_record
from crossmodal.storage.lease import Lease
from crossmodal.storage.uri import join, write_json
from tests.servers import chat, free_port

DATE = "2026-03-01"
BROKEN = """
FIRST = {}


def suggest(trial, experiment):
    raise RuntimeError("the space fell apart")
"""


@pytest.fixture
def begin(journey, run_job, tmp_path):
    """Start a night; give how the job ended, and what a chat heard."""

    def begun(store, **variables):
        with chat() as (url, heard):
            done = run_job("nightly", journey[0], f"store={store}", "--date", DATE, cwd=tmp_path, CROSSMODAL_WEBHOOK=url, **variables)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        return done.stderr.splitlines()[-1], heard

    return begun


def test_a_night_that_could_not_begin_is_told(begin):
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret-never-told"}
    told, (message,) = begin("s3://bucket/store", AWS_ENDPOINT_URL=f"http://127.0.0.1:{free_port()}", **keys)
    assert "s3://bucket/store at http://127.0.0.1" in told
    assert (message["state"], message["digest"]) == ("failed", "")
    assert message["text"] == f"tiny {DATE}: Failed: {told.removeprefix('error: ')}"
    assert "secret-never-told" not in message["text"]


def test_a_record_that_cannot_be_read_is_told(begin, tmp_path):
    write_json(str(tmp_path / f"store/nights/tiny/{DATE}/record.json"), {"of_another": "version"})
    _, (message,) = begin(tmp_path / "store")
    assert f"{DATE}/record.json: is no record of a night" in message["text"]


def test_a_night_that_another_process_runs_is_no_failure(begin, tmp_path):
    store = str(tmp_path / "store")
    with Lease(join(nights_uri(store, "tiny"), "running.json"), "a night of tiny"):
        told, heard = begin(store)
    assert "a night of tiny is running already, as process" in told
    assert heard == []


@pytest.fixture
def fail(journey, run_job, tmp_path):
    """Run a night on a copy of the store that fails; give how the job ended, its record, its page, and what a chat heard."""
    experiment, _ = journey
    store = tmp_path / "store"

    def failed(*overrides):
        with chat() as (url, heard):
            settings = [f"store={store}", "training.workers=1", *overrides]
            path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
            done = run_job("nightly", experiment, *settings, "--date", DATE, cwd=tmp_path, CROSSMODAL_WEBHOOK=url, PYTHONPATH=path)
        record, page = read_record(nights_uri(str(store), "tiny"), DATE), store / f"nights/tiny/{DATE}/digest.html"
        assert "Traceback" not in done.stderr
        (message,) = heard
        assert (message["state"], message["digest"]) == ("failed", str(page))
        assert record.verdict in message["text"]
        assert record.state == "failed"
        assert record.code == done.returncode
        return done, record, page.read_text()

    return failed


def test_a_night_without_mlflow_says_so(fail):
    done, record, page = fail(f"tracking.uri=http://127.0.0.1:{free_port()}")
    assert done.returncode == 2
    assert "tracking.uri: http://127.0.0.1" in done.stderr.splitlines()[-1]
    assert record.verdict.startswith("Failed: tracking.uri: ")
    assert "Failed: tracking.uri: " in page


def test_a_failure_that_nobody_foresaw_has_a_code_of_its_own_and_says_where_it_was(fail, journey, tmp_path):
    shutil.copytree(journey[0].parent / "store", tmp_path / "store")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/space.py").write_text(BROKEN)
    tracking = f"sqlite:///{tmp_path}/mlflow.db"
    done, record, page = fail("tuning.space=broken.space", f"tracking.uri={tracking}")
    told = "RuntimeError: the space fell apart (in suggest, space.py:6)"
    assert (done.returncode, done.stderr.splitlines()[-1]) == (70, f"error: {told}")
    assert record.verdict == f"Failed: {told}"
    assert told in page
    client = MlflowClient(tracking)
    (run,) = client.search_runs([client.get_experiment_by_name("tiny").experiment_id])
    assert (run.info.status, run.data.tags["state"]) == ("FAILED", "failed")
    assert [found.path for found in client.list_artifacts(run.info.run_id)] == ["digest.html"]
