"""A night that fails leaves something to read: a page, a record, a message, and an exit code that says what kind of failure it was."""

import os
import shutil

import pytest
from mlflow import MlflowClient

from crossmodal.nightly.record import nights_uri, read_record
from tests.servers import chat, free_port

DATE = "2026-03-01"
BROKEN = """
FIRST = {}


def suggest(trial, experiment):
    raise RuntimeError("the space fell apart")
"""


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
