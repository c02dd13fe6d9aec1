"""The lab on one machine satisfies the Compose specification, keeps to itself, and its commands do what they say."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import mlflow
import pgserver
import psycopg
import pytest
import s3fs

from tests.infra.manifests import INFRA, image, load, schema
from tests.servers import free_port

FILES = ("compose.yaml", "compose.gpu.yaml")
SERVICES: dict[str, dict[str, Any]] = load("compose/compose.yaml")["services"]


@pytest.mark.parametrize("name", FILES)
def test_file_satisfies_the_specification(name):
    jsonschema.validate(load(f"compose/{name}"), schema("compose-spec.json"))


def test_specification_refuses_a_misspelt_key():
    wrong = load("compose/compose.yaml")
    wrong["services"]["ray"]["shm-size"] = "8gb"
    with pytest.raises(jsonschema.ValidationError, match="shm-size"):
        jsonschema.validate(wrong, schema("compose-spec.json"))


@pytest.mark.parametrize("name", SERVICES)
def test_service_is_pinned_and_not_root(name):
    service = SERVICES[name]
    assert service["image"] == image("cpu") or re.fullmatch(r"[\w/]+:[\d.]+[-\w]*@sha256:[0-9a-f]{64}", service["image"])
    # Our own image ends as user 1000.
    assert service["image"] == image("cpu") or service["user"] not in {"root", "0", "0:0"}
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_bound_to_this_machine(name):
    assert all(re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port) for port in SERVICES[name].get("ports", ()))


@pytest.mark.parametrize("name", SERVICES)
def test_service_that_stays_has_a_health_check(name):
    assert ("healthcheck" in SERVICES[name]) == (SERVICES[name]["restart"] != "no")


def test_what_waits_waits_for_what_can_be_waited_for():
    for service in SERVICES.values():
        for other, how in service.get("depends_on", {}).items():
            expected = "service_healthy" if "healthcheck" in SERVICES[other] else "service_completed_successfully"
            assert how["condition"] == expected


def test_secrets_have_no_value_and_no_default_and_the_how_to_makes_them_all():
    text = (INFRA / "compose/compose.yaml").read_text()
    required = set(re.findall(r"\$\{(\w+):\?", text))
    assert required == set(re.findall(r"\$\{?(\w+)", text))
    secrets = {
        key: value
        for service in SERVICES.values()
        for key, value in service.get("environment", {}).items()
        if re.search("PASSWORD|SECRET|KEY|TOKEN", key)
    }
    assert len(secrets) >= 6
    assert all(value.startswith("${") for value in secrets.values())
    assert required == set(re.findall(r"^(\w+)=", (INFRA / "compose/README.md").read_text(), re.MULTILINE))


def test_named_volumes_are_declared_and_mounted_files_exist():
    mounted = [volume.rsplit(":/", 1)[0] for service in SERVICES.values() for volume in service.get("volumes", ())]
    named = {source for source in mounted if re.fullmatch(r"\w+", source)}
    assert named == set(load("compose/compose.yaml")["volumes"])
    assert all((INFRA / "compose" / source).is_file() for source in mounted if source.startswith("./"))


def test_gpu_file_changes_a_service_there_is():
    (name,) = load("compose/compose.gpu.yaml")["services"]
    assert name in SERVICES
    assert load("compose/compose.gpu.yaml")["services"][name]["image"] == image("cuda")


@pytest.fixture
def postgres() -> Iterator[str]:
    """A real server with what the image makes of the service's environment; yields its URI."""
    folder = Path(tempfile.mkdtemp())
    # Under root the server runs as a user of its own.
    folder.chmod(0o755)
    server = pgserver.get_server(folder / "pg", cleanup_mode="stop")
    try:
        user, database = (SERVICES["postgres"]["environment"][f"POSTGRES_{key}"] for key in ("USER", "DB"))
        server.psql(f"CREATE ROLE {user} SUPERUSER LOGIN;")
        server.psql(f"CREATE DATABASE {database} OWNER {user};")
        server.psql((INFRA / "compose/databases.sql").read_text())
        yield server.get_uri(database).replace("postgresql://postgres:@", f"postgresql+psycopg://{user}@")
    finally:
        server.cleanup()
        shutil.rmtree(folder)


def test_bucket_is_made_once_or_found(s3):
    command = [sys.executable, *SERVICES["bucket"]["command"][1:]]
    for _ in range(2):
        subprocess.run(command, check=True, capture_output=True)
    assert "crossmodal" in s3fs.S3FileSystem(skip_instance_cache=True).ls("", refresh=True)


@pytest.mark.slow
def test_mlflow_takes_runs_and_artifacts_and_turns_down_foreign_hosts(postgres, s3, tmp_path, monkeypatch):
    with psycopg.connect(postgres.replace("+psycopg", "").replace("/mlflow", "/optuna")) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("optuna",)
    subprocess.run([sys.executable, *SERVICES["bucket"]["command"][1:]], check=True)
    port = free_port()
    with subprocess.Popen(_mlflow_command(postgres, port), cwd=tmp_path, stderr=subprocess.DEVNULL) as server:
        try:
            _wait(f"http://127.0.0.1:{port}/health", server)
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(
                    urllib.request.Request(f"http://127.0.0.1:{port}/api/2.0/mlflow/experiments/search", headers={"Host": "evil"})
                )
            assert refused.value.code == 403
            client = mlflow.MlflowClient(f"http://127.0.0.1:{port}")
            monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
            monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
            run = client.create_run(client.create_experiment("lab"))
            client.log_metric(run.info.run_id, "loss", 0.5)
            (tmp_path / "figure.txt").write_text("a figure")
            client.log_artifact(run.info.run_id, str(tmp_path / "figure.txt"))
            assert client.get_run(run.info.run_id).data.metrics == {"loss": 0.5}
            # Through the server: whoever logs needs no key of the store.
            assert run.info.artifact_uri.startswith("mlflow-artifacts:")
            kept = s3fs.S3FileSystem(skip_instance_cache=True).find("crossmodal/mlflow")
            assert [Path(name).name for name in kept] == ["figure.txt"]
        finally:
            server.terminate()


def _mlflow_command(postgres: str, port: int) -> list[str]:
    """The service's own, with this server's places for the containers'."""
    replaced = {
        "--host=0.0.0.0": "--host=127.0.0.1",
        "--port=5000": f"--port={port}",
        "--workers=2": "--workers=1",
        "--backend-store-uri=postgresql+psycopg://crossmodal@postgres:5432/mlflow": f"--backend-store-uri={postgres}",
    }
    command = SERVICES["mlflow"]["command"]
    assert set(replaced) < set(command)
    options = [replaced.get(word, word).replace(":5000", f":{port}") for word in command[1:]]
    return [str(Path(sys.executable).with_name(command[0])), *options]


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    # The health check, but for the port.
    code = SERVICES["mlflow"]["healthcheck"]["test"][-1].replace("http://127.0.0.1:5000/health", url)
    while subprocess.run([sys.executable, "-c", code], env=os.environ, stderr=subprocess.DEVNULL).returncode:
        assert server.poll() is None
        time.sleep(1)
