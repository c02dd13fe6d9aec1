"""A job submitted to a real cluster that asks for a token, and the run it leaves in MLflow."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
import yaml

from crossmodal.tracking.runs import Tracker
from tests.crossmodal.training.cohort import publish_cohort, small_experiment

ROOT = Path(__file__).resolve().parents[2]
PORTS = (
    "",
    "dashboard-",
    "dashboard-agent-listen-",
    "dashboard-agent-grpc-",
    "runtime-env-agent-",
    "metrics-export-",
    "ray-client-server-",
)
RAY = str(Path(sys.executable).with_name("ray"))


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def submit(environment: dict[str, str], *job: str) -> subprocess.CompletedProcess[str]:
    command = [RAY, "job", "submit", "--runtime-env", "infra/runtime_env.yaml", "--", "python", *job]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=400)


def wait_until_up(head: subprocess.Popen[bytes], log: Path) -> None:
    while "Ray runtime started" not in log.read_text():
        assert head.poll() is None, log.read_text()
        time.sleep(0.5)


def stop(head: subprocess.Popen[bytes]) -> None:
    """Stop the head and whatever it started, and nothing else."""
    if head.poll() is None:
        started = psutil.Process(head.pid).children(recursive=True)
        head.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs(started, timeout=20)
        for process in alive:
            process.kill()
        head.kill()
    head.wait()


@pytest.fixture
def cluster(s3: str) -> Iterator[dict[str, str]]:
    """Start a cluster with its own token, ports and folder, yield the environment its users need, and stop its processes.

    It knows the store's credentials; with ports given, Ray does not wait seconds, too few on a busy machine, for agents to choose.
    """
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as home:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
        environment |= {"HOME": home, "RAY_TMPDIR": home, "RAY_AUTH_MODE": "token", "PATH": f"{Path(RAY).parent}:{os.environ['PATH']}"}
        subprocess.run([RAY, "get-auth-token", "--generate"], env=environment, check=True, capture_output=True)
        ports = {f"--{name}port": free_port() for name in PORTS}
        options = ["--num-cpus=2", "--include-dashboard=true", f"--temp-dir={home}/ray"]
        options += [f"{option}={port}" for option, port in ports.items()]
        command = [RAY, "start", "--head", "--block", *options]
        with open(f"{home}/log", "wb") as log:
            head = subprocess.Popen(command, env=environment, cwd=home, stdout=log, stderr=log, start_new_session=True)
        try:
            wait_until_up(head, Path(home, "log"))
            yield environment | {"RAY_API_SERVER_ADDRESS": f"http://127.0.0.1:{ports['--dashboard-port']}"}
        finally:
            stop(head)


@pytest.mark.slow
def test_submitted_job_trains_and_is_tracked(cluster, s3, tmp_path):
    experiment = small_experiment(tmp_path, f"{s3}/submit", workers=2, epochs=2)
    publish_cohort(experiment)
    settings = experiment.model_dump(mode="json", exclude_unset=True)
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(settings))

    refused = submit(cluster | {"HOME": str(tmp_path), "RAY_AUTH_MODE": "disabled"}, "-c", "pass")
    assert refused.returncode != 0
    assert "auth" in (refused.stdout + refused.stderr).lower()

    done = submit(cluster, "jobs/train.py", str(tmp_path / "small.yaml"), "split.held_out=['1','2']")
    assert done.returncode == 0, done.stdout + done.stderr
    with Tracker(experiment.tracking) as tracker:
        runs = tracker.client.search_runs([tracker.experiment_id])
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert len(parents) == 1
    assert sorted(run.info.run_name for run in runs if run not in parents) == ["sub-1", "sub-2"]
    assert {run.info.status for run in runs} == {"FINISHED"}
