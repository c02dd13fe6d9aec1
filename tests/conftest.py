"""What tests share: a real S3 server, a real PostgreSQL server, a Ray, and a disk that is soon full."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.servers import lead_to_s3, s3_server

PASSWORD = "secret-never-told"

# Timings are never asserted: a busy machine is no failure.
settings.register_profile("crossmodal", deadline=None)
settings.load_profile("crossmodal")


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URI of an empty bucket on a real S3 server, with the AWS_* variables that lead there."""
    with s3_server(tmp_path_factory.mktemp("s3")) as (_, variables), pytest.MonkeyPatch.context() as patch:
        lead_to_s3(variables, patch)
        yield "s3://bucket"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of an empty database, beside one called mlflow, on a real PostgreSQL server, whose password is in PGPASSWORD."""
    pgserver = pytest.importorskip("pgserver")
    # The path of a socket must be short.
    with tempfile.TemporaryDirectory(prefix="pg-") as folder, pytest.MonkeyPatch.context() as patch:
        data = Path(folder) / "data"
        with pgserver.get_server(data, cleanup_mode="delete") as server:
            databases = [f"CREATE DATABASE {name} OWNER searcher" for name in ("optuna", "mlflow")]
            for statement in (f"CREATE ROLE searcher LOGIN PASSWORD '{PASSWORD}'", *databases):
                server.psql(f"{statement};")
            (data / "pg_hba.conf").write_text("local all postgres trust\nlocal all all scram-sha-256\n")
            server.psql("SELECT pg_reload_conf();")
            patch.setenv("PGPASSWORD", PASSWORD)
            yield f"postgresql://searcher@/optuna?host={server.get_postmaster_info().socket_dir}"


@pytest.fixture
def local_ray(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start a Ray with one CPU, whose workers find this checkout's code."""
    import ray  # which takes seconds, and most tests need none

    root = Path(__file__).resolve().parents[1]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(root / "platform"), str(root)]))
    ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"cannot mount a small disk here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)
