import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from crossmodal.config import UserError
from crossmodal.config.experiment import Tracking
from crossmodal.tracking.runs import Tracker
from tests.servers import locked_door

ROOT = Path(__file__).resolve().parents[3]
STEPS = [{"loss": 3.0}, {"loss": 2.0}, {"loss": 1.0}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tracking")


@pytest.fixture
def tracking(folder, request):
    return Tracking(uri=f"sqlite:///{folder}/mlflow.db", experiment=request.node.name)


def losses(tracker: Tracker, run_id: str) -> list[tuple[int, float]]:
    return [(metric.step, metric.value) for metric in tracker.client.get_metric_history(run_id, "loss")]


def test_a_retry_finds_its_runs_and_logs_each_step_once(tracking):
    with Tracker(tracking) as tracker:
        parent = tracker.start("run")
        child = tracker.start("run", "sub-1", parent)
        tracker.log_parameters(child, {"epochs": "3"})
        tracker.log_steps(child, STEPS[:2])
    with Tracker(tracking) as tracker:
        assert tracker.start("run") == parent
        assert tracker.start("run", "sub-1", parent) == child
        assert tracker.start("run", "sub-2", parent) != child
        assert tracker.client.get_run(child).info.status == "RUNNING"
        tracker.log_parameters(child, {"epochs": "4", "seed": "0"})
        tracker.log_steps(child, STEPS)
        assert losses(tracker, child) == [(0, 3.0), (1, 2.0), (2, 1.0)]
        run = tracker.client.get_run(child)
        assert run.data.params == {"epochs": "3", "seed": "0"}
        assert run.data.tags["mlflow.parentRunId"] == parent


@pytest.mark.parametrize(
    ("error", "status"), [(None, "FINISHED"), (KeyboardInterrupt, "KILLED"), (SystemExit, "KILLED"), (UserError, "FAILED")]
)
def test_leaving_closes_what_is_open(tracking, error, status):
    with contextlib.suppress(error or StopIteration), Tracker(tracking) as tracker:
        tracker.end(tracker.start("run", "sub-1"), "FINISHED")
        tracker.start("run")
        if error:
            raise error
    with Tracker(tracking) as tracker:
        assert tracker.find("run").info.status == status
        assert tracker.find("run", "sub-1").info.status == "FINISHED"


def test_runs_of_a_killed_process_are_closed(tracking):
    code = (
        "import os, sys; from crossmodal.config.experiment import Tracking; from crossmodal.tracking.runs import Tracker\n"
        "Tracker(Tracking(uri=sys.argv[1], experiment=sys.argv[2])).start('orphan'); os.kill(os.getpid(), 9)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "platform")}
    done = subprocess.run([sys.executable, "-c", code, tracking.uri, tracking.experiment], env=environment)
    assert done.returncode == -signal.SIGKILL
    with Tracker(tracking) as tracker:
        mine = tracker.start("mine")
        tracker.close_orphans()
        assert tracker.find("orphan").info.status == "KILLED"
        assert tracker.client.get_run(mine).info.status == "RUNNING"


def test_a_run_is_closed_with_what_another_machine_left_open_below_it(tracking):
    with Tracker(tracking) as tracker:
        parent = tracker.start("run")
        for fold in ("sub-1", "sub-2"):
            tracker.log_tags(tracker.start("run", fold, parent), {"crossmodal.host": "reclaimed"})
        tracker.end(tracker.find("run", "sub-1").info.run_id, "FINISHED")
        tracker.end_with_children(parent, "KILLED")
        assert [tracker.find("run", fold).info.status for fold in ("", "sub-1", "sub-2")] == ["KILLED", "FINISHED", "KILLED"]


def test_files_lie_beside_the_database(tracking, folder, tmp_path):
    figure = tmp_path / "loss.png"
    figure.write_bytes(b"png")
    with Tracker(tracking) as tracker:
        tracker.log_figure(tracker.start("run"), figure)
        run_id = tracker.find("run").info.run_id
        assert [found.path for found in tracker.client.list_artifacts(run_id, "figures")] == ["figures/loss.png"]
    assert list((folder / "mlflow-artifacts").rglob("loss.png"))


def test_a_server_that_is_away_is_told_without_its_password(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(UserError, match=r"tracking\.uri: http://127\.0\.0\.1:9 cannot be used") as told:
        Tracker(Tracking(uri="http://someone:secret@127.0.0.1:9"))
    assert "secret" not in str(told.value)


def test_a_server_that_refuses_is_told_without_its_password():
    with locked_door() as place, pytest.raises(UserError, match="set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD") as refused:
        Tracker(Tracking(uri=f"http://me:secret-never-told@{place}", experiment="refused"))
    assert "secret-never-told" not in str(refused.value)


def test_a_file_that_is_no_database_is_told(tmp_path):
    (tmp_path / "notes.txt").write_text("not a database" * 100)
    with pytest.raises(UserError, match=r"notes\.txt cannot be used"):
        Tracker(Tracking(uri=f"sqlite:///{tmp_path}/notes.txt"))


def test_an_experiment_that_was_deleted_is_told_with_the_ways_out(tracking):
    with Tracker(tracking) as tracker:
        tracker.client.delete_experiment(tracker.experiment_id)
    sentence = (
        f"'{tracking.experiment}' was deleted in MLflow; restore it .*-x {tracker.experiment_id}.*, or give tracking.experiment another"
    )
    with pytest.raises(UserError, match=sentence):
        Tracker(tracking)
    tracker.client.restore_experiment(tracker.experiment_id)
    assert Tracker(tracking).experiment_id == tracker.experiment_id
