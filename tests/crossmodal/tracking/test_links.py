"""The printed way to MLflow works in a shell that has no `mlflow` on its PATH, and leads to the runs of the experiment."""

import os
import re
import shlex
import subprocess
import sys
import urllib.request
from urllib.parse import parse_qs

import pytest
from mlflow import MlflowClient

from crossmodal.config.experiment import Tracking
from crossmodal.nightly.morning import links
from crossmodal.tracking.links import link, way_to_runs
from crossmodal.tracking.runs import Tracker
from tests.servers import Server, free_port


@pytest.fixture(scope="module")
def tracker(tmp_path_factory):
    """Runs in a file whose path a shell would cut in two."""
    folder = tmp_path_factory.mktemp("my runs")
    with Tracker(Tracking(uri=f"sqlite:///{folder}/mlflow.db", experiment="mine")) as tracker:
        tracker.start("run")
        yield tracker


@pytest.fixture(scope="module")
def served(tracker):
    """The printed command, run by a shell, and what it says to open."""
    command, opened = way_to_runs(tracker.uri, tracker.experiment_id).split("\nthen open ")
    port = free_port()
    bare = {"PATH": "/usr/bin:/bin", "HOME": os.environ["HOME"], "MLFLOW_PORT": str(port), "MLFLOW_WORKERS": "1"}
    assert subprocess.run(["/bin/sh", "-c", "command -v mlflow"], env=bare).returncode, "the test needs a shell without mlflow"
    environment = [f"{name}={value}" for name, value in bare.items()]
    server = Server(["/usr/bin/env", "-i", *environment, "/bin/sh", "-c", command], port, "/health")
    server.start()
    yield opened.replace(":5000", f":{port}")
    server.stop()


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return str(answer.read().decode())


def test_the_printed_command_serves_the_runs_that_the_link_names(tracker, served):
    server, route = served.split("/#/experiments/")
    experiment_id, _, query = route.partition("/runs?")
    client = MlflowClient(server)
    assert client.get_experiment(experiment_id).name == "mine"
    assert [run.info.run_name for run in client.search_runs([experiment_id])] == ["run"]
    assert parse_qs(query) == {"workflowType": ["machine_learning"]}


def test_the_served_page_knows_the_mode_that_the_link_asks_for(served):
    server = served.partition("/#/")[0]
    (script,) = re.findall(r'src="([^"]*main[^"]*\.js)"', read(server))
    code = read(f"{server}/{script.lstrip('./')}")
    assert re.search(r'\.get\("workflowType"\)', code)
    assert '="machine_learning"' in code


def test_a_server_needs_no_command():
    assert way_to_runs("http://user:secret@mlflow:5000/", "7") == "http://mlflow:5000/#/experiments/7/runs?workflowType=machine_learning"


def test_a_run_is_linked_in_the_same_mode():
    assert link("http://mlflow", "7", "abc").endswith("/#/experiments/7/runs/abc?workflowType=machine_learning")


def test_a_digest_without_a_server_tells_the_command(tracker):
    told = links(tracker, {"this night": "abc"}, {"this page": "/store/digest.html"})
    assert shlex.split(told["MLflow"])[:4] == [sys.executable, "-m", "mlflow", "server"]
    assert told["this page"] == "/store/digest.html"
