"""A real Ray cluster of several nodes on this machine, with its own token, ports and folder."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.servers import free_ports

ROOT = Path(__file__).resolve().parents[1]
RAY = str(Path(sys.executable).with_name("ray"))
_AGENTS = ("dashboard-agent-listen-", "dashboard-agent-grpc-", "runtime-env-agent-", "metrics-export-")
_HEAD_AGENTS = (*_AGENTS, "ray-client-server-")
_UP = "Ray runtime started"
# A head waits 30 s for its own node, and no setting lets it wait longer.
_TOO_BUSY = "timed out during startup"


@dataclass(frozen=True)
class RayCluster:
    """What its users need.

    Attributes
    ----------
    environment : dict of str to str
        With the token, and the address that jobs are submitted to.
    address : str
        That further nodes join.
    home : Path
        Of its logs and token.
    """

    environment: dict[str, str]
    address: str
    home: Path

    def submit(self, *job: str, checkout: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
        """Submit `python job` with the code of a checkout, this one by default, and wait for its end."""
        command = [RAY, "job", "submit", "--runtime-env", "infra/runtime_env.yaml", "--", "python", *job]
        return subprocess.run(command, env=self.environment | environment, cwd=checkout, capture_output=True, text=True, timeout=400)

    @contextlib.contextmanager
    def node(self, name: str, num_cpus: int) -> Iterator["subprocess.Popen[bytes]"]:
        """Join one more node."""
        options = [f"--address={self.address}", f"--num-cpus={num_cpus}", *_ports(_AGENTS, free_ports(len(_AGENTS)))]
        with _started(options, self.environment, self.home / name) as node:
            yield node


@contextlib.contextmanager
def ray_cluster(num_cpus: int) -> Iterator[RayCluster]:
    """Start a head, and stop its processes in the end.

    It knows this process's AWS_* and PG* variables. With ports given, Ray does not wait seconds, too few on a busy machine, for
    agents to choose.
    """
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as folder:
        home, (port, dashboard, *ports) = Path(folder), free_ports(2 + len(_HEAD_AGENTS))
        environment = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
        environment |= {"HOME": folder, "RAY_TMPDIR": folder, "RAY_AUTH_MODE": "token", "PATH": f"{Path(RAY).parent}:{os.environ['PATH']}"}
        environment |= {"RAY_agent_register_timeout_ms": "120000", "PYTHONPATH": f"{ROOT}/platform:{ROOT}"}
        subprocess.run([RAY, "get-auth-token", "--generate"], env=environment, check=True, capture_output=True)
        options = ["--head", f"--num-cpus={num_cpus}", "--include-dashboard=true", f"--temp-dir={folder}/ray"]
        options += [f"--port={port}", f"--dashboard-port={dashboard}", *_ports(_HEAD_AGENTS, ports)]
        with _started(options, environment, home / "head"):
            yield RayCluster(environment | {"RAY_API_SERVER_ADDRESS": f"http://127.0.0.1:{dashboard}"}, f"127.0.0.1:{port}", home)


def kill(node: "subprocess.Popen[bytes]") -> None:
    """Take a node away with all that runs on it, without notice."""
    for process in [*psutil.Process(node.pid).children(recursive=True), psutil.Process(node.pid)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


@contextlib.contextmanager
def _started(options: list[str], environment: dict[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    node = _launched(options, environment, log)
    try:
        while _UP not in log.read_text():
            if node.poll() is not None and _TOO_BUSY in log.read_text():
                node = _launched(options, environment, log)
            assert node.poll() is None, log.read_text()
            time.sleep(0.5)
        yield node
    finally:
        _stop(node)


def _launched(options: list[str], environment: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("wb") as file:
        command = [RAY, "start", "--block", *options]
        return subprocess.Popen(command, env=environment, cwd=log.parent, stdout=file, stderr=file, start_new_session=True)


def _stop(node: "subprocess.Popen[bytes]") -> None:
    """Stop a node and whatever it started, and nothing else."""
    if node.poll() is None:
        started = psutil.Process(node.pid).children(recursive=True)
        node.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs(started, timeout=20)
        for process in alive:
            process.kill()
        node.kill()
    node.wait()


def _ports(names: tuple[str, ...], ports: Sequence[int]) -> list[str]:
    return [f"--{name}port={port}" for name, port in zip(names, ports, strict=True)]
