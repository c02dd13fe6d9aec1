"""The pod that makes a night, run as a process against a server that keeps RayJobs as Kubernetes does."""

import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.infra.manifests import INFRA, check_kuberay, load

TEMPLATE = INFRA / "kuberay/nightly/job/rayjob.yaml"
PATH = "/apis/ray.io/v1/namespaces/lab/rayjobs"


@dataclass
class Api:
    """What the server keeps, and where a pod's account lies."""

    account: Path
    port: int
    rayjobs: list[dict[str, Any]] = field(default_factory=list)

    def run(self, template: Path = TEMPLATE) -> subprocess.CompletedProcess[str]:
        """Run the script as in a pod, but for the account's place."""
        code = (
            "import runpy, sys, pathlib; sys.argv = sys.argv[1:]; script = runpy.run_path(sys.argv[0]);"
            f"script['main'].__globals__['ACCOUNT'] = pathlib.Path({str(self.account)!r}); sys.exit(script['main'](sys.argv[1]))"
        )
        command = [sys.executable, "-c", code, str(INFRA / "kuberay/create_rayjob.py"), str(template)]
        environment = {"KUBERNETES_SERVICE_HOST": "localhost", "KUBERNETES_SERVICE_PORT": str(self.port)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    def handler(api) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def answer(self, status: int, body: dict[str, Any]) -> None:
                if self.headers["Authorization"] != "Bearer of-the-pod" or urlsplit(self.path).path != PATH:
                    status, body = 403, {"message": "forbidden"}
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def do_GET(self) -> None:
                key, value = parse_qs(urlsplit(self.path).query)["labelSelector"][0].split("=")
                self.answer(200, {"items": [job for job in api.rayjobs if job["metadata"]["labels"].get(key) == value]})

            def do_POST(self) -> None:
                api.rayjobs.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.answer(201, api.rayjobs[-1])

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    certificate = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-out", "ca.crt", "-keyout", "key"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *certificate], cwd=tmp_path, check=True, capture_output=True
    )
    (tmp_path / "token").write_text("of-the-pod")
    (tmp_path / "namespace").write_text("lab")
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        api = Api(tmp_path, server.server_port)
        server.RequestHandlerClass = api.handler()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "ca.crt", tmp_path / "key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield api
        server.shutdown()


def earlier(status: dict[str, str] | None) -> dict[str, Any]:
    job = load("kuberay/nightly/job/rayjob.yaml")
    job["metadata"]["name"] += "-20261120"
    return job | ({"status": status} if status is not None else {})


def test_night_is_named_after_its_date_and_is_the_template_otherwise(api):
    api.rayjobs = [earlier({"jobDeploymentStatus": "Complete"}), earlier({"jobDeploymentStatus": "Failed"})]
    before = datetime.now(UTC)
    done = api.run()
    assert (done.returncode, done.stderr) == (0, "")
    made = api.rayjobs[-1]
    assert made["metadata"]["name"] in {f"crossmodal-nightly-{now:%Y%m%d}" for now in (before, datetime.now(UTC))}
    assert done.stdout == f"made {made['metadata']['name']}\n"
    check_kuberay(made)
    template = load("kuberay/nightly/job/rayjob.yaml")
    assert made["spec"] == template["spec"]
    assert made["metadata"]["labels"] == template["metadata"]["labels"]


@pytest.mark.parametrize("status", [None, {}, {"jobDeploymentStatus": "Running"}, {"jobDeploymentStatus": "Retrying"}])
def test_night_that_still_runs_is_left_alone(api, status):
    api.rayjobs = [earlier(status)]
    done = api.run()
    assert done.returncode == 3
    assert "crossmodal-nightly-20261120 still runs" in done.stderr
    assert len(api.rayjobs) == 1


def test_other_rayjobs_do_not_hold_up_the_night(api):
    api.rayjobs = [earlier({"jobDeploymentStatus": "Running"})]
    api.rayjobs[0]["metadata"]["labels"] = {}
    assert api.run().returncode == 0


def test_second_pod_finds_what_the_first_made(api):
    assert api.run().returncode == 0
    again = api.run()
    assert again.returncode == 0
    assert again.stdout.endswith("is there already\n")
    assert len(api.rayjobs) == 1


def test_refusal_of_kubernetes_is_worth_another_try(api):
    (api.account / "token").write_text("of-someone-else")
    done = api.run()
    assert done.returncode == 1
    assert "403" in done.stderr
    assert "Traceback" not in done.stderr


def test_template_that_is_no_rayjob_is_refused(api):
    done = api.run(INFRA / "kuberay/raycluster.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "holds no RayJob" in done.stderr
