"""jobs/preprocess.py, killed in every way and started again, and two at once: the dataset is that of a run nobody disturbed."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import mne
import numpy as np
import psutil
import pytest
import ray
import yaml

from crossmodal.datasets.shard import LAST_FILE, Shard
from tests.servers import s3_server

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
N_RECORDINGS = 5
TIMEOUT_S = 400


@dataclass
class Place:
    """A store: its URI, the folder it lies in on this machine, and the variables that lead to it."""

    uri: str
    folder: Path
    variables: dict[str, str]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings that take about a second each."""
    folder = tmp_path_factory.mktemp("cohort")
    names = [f"EEG{index:03d}" for index in range(20)] + [f"MEG{index:03d}1" for index in range(20)]
    info = mne.create_info(names, 1000.0, ["eeg"] * 20 + ["mag"] * 20)
    for subject in range(N_RECORDINGS):
        noise = np.random.default_rng(subject).normal(size=(40, 60_000)) * np.repeat([1e-5, 1e-13], 20)[:, None]
        mne.io.RawArray(noise, info, verbose="error").save(folder / f"{subject}_raw.fif", verbose="error")
    return folder


@pytest.fixture(scope="module")
def undisturbed(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The manifest of a run that nobody disturbed, by its name."""
    folder = tmp_path_factory.mktemp("undisturbed")
    place = Place(str(folder), folder, {})
    with running(cohort, place) as job:
        assert "made 5, cached 0, failed 0" in finished(job)
    return manifests(place)


@pytest.fixture(params=["local", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty store of each kind."""
    folder = tmp_path / "served/bucket/store"
    with ExitStack() as stack:
        if request.param == "local":
            yield Place(str(folder), folder, {})
        else:
            folder.mkdir(parents=True)
            _, variables = stack.enter_context(s3_server(tmp_path / "served"))
            yield Place("s3://bucket/store", folder, variables)


@contextmanager
def running(cohort: Path, place: Place) -> Iterator[subprocess.Popen[str]]:
    """Run the job; whatever happens, neither it nor what it started outlives the test."""
    files = [{"path": str(path), "subject": path.name[0]} for path in sorted(cohort.glob("*_raw.fif"))]
    experiment = cohort / "experiment.yaml"
    experiment.write_text(yaml.safe_dump({"name": "kills", "recordings": {"kind": "files", "files": files}}))
    command = [sys.executable, "jobs/preprocess.py", str(experiment), f"store={place.uri}"]
    variables = {key: value for key, value in os.environ.items() if key not in {"RAY_ADDRESS", "PYTHONPATH"}} | place.variables
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in cohort.glob("*.fif")}
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as job:
        started: list[psutil.Process] = []
        try:
            yield job
        finally:
            if job.poll() is None:
                started = psutil.Process(job.pid).children(recursive=True)
                job.kill()
            for process in psutil.wait_procs(started, timeout=20)[1]:
                process.kill()
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in cohort.glob("*.fif")} == before


def finished(job: subprocess.Popen[str], code: int = 0) -> str:
    """Wait for a job and return what it said."""
    out, err = job.communicate(timeout=TIMEOUT_S)
    assert job.returncode == code, out + err
    return out + err


def shards(place: Place) -> list[Path]:
    return [path.parent for path in place.folder.glob(f"shards/[!.]*/{LAST_FILE}")]


def manifests(place: Place) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in place.folder.glob("datasets/*.json")}


def wait_for(condition, job: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert job.poll() is None, job.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def check_whole(place: Place) -> int:
    """Count the shards there are, all of them whole, and no dataset."""
    assert not manifests(place)
    for folder in shards(place):
        Shard.open(folder, verify=True)
    return len(shards(place))


def test_a_killed_job_is_gone_on_with(cohort, place, undisturbed):
    with running(cohort, place) as job:
        wait_for(lambda: shards(place), job)
    n_there = check_whole(place)
    assert 1 <= n_there < N_RECORDINGS
    with running(cohort, place) as job:
        assert f"made {N_RECORDINGS - n_there}, cached {n_there}, failed 0" in finished(job)
    assert manifests(place) == undisturbed


def test_a_killed_worker_is_replaced(cohort, place, undisturbed):
    def at_work():
        working = []
        for child in psutil.Process(job.pid).children(recursive=True):
            # Some end while they are asked.
            with contextlib.suppress(psutil.Error):
                working += [child] * ("_make_shard" in " ".join(child.cmdline()))
        return working

    with running(cohort, place) as job:
        wait_for(at_work, job)
        at_work()[0].send_signal(signal.SIGKILL)
        assert "made 5, cached 0, failed 0" in finished(job)
    assert manifests(place) == undisturbed


def test_a_killed_store_stops_the_job_and_loses_nothing(cohort, tmp_path, undisturbed):
    folder = tmp_path / "bucket/store"
    folder.mkdir(parents=True)
    with s3_server(tmp_path) as (server, variables):
        place = Place("s3://bucket/store", folder, variables)
        with running(cohort, place) as job:
            wait_for(lambda: shards(place), job)
            server.stop()
            said = finished(job, code=2)
        assert "s3://bucket/store" in said
        assert "the store cannot be reached" in said
        n_there = check_whole(place)
        assert n_there < N_RECORDINGS
        server.start()
        with running(cohort, place) as job:
            assert f"made {N_RECORDINGS - n_there}, cached {n_there}, failed 0" in finished(job)
    assert manifests(place) == undisturbed


def test_two_jobs_at_once_end_with_one_dataset(cohort, place, undisturbed, monkeypatch):
    for name, value in (place.variables | {"PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}"}).items():
        monkeypatch.setenv(name, value)
    # One cluster for both, as in a lab; each job is a process of its own.
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=2**27)
    try:
        shared = replace(place, variables=place.variables | {"RAY_ADDRESS": ray.get_runtime_context().gcs_address})
        with running(cohort, shared) as one, running(cohort, shared) as other:
            said = [finished(job) for job in (one, other)]
    finally:
        ray.shutdown()
    assert all(f"failed 0; dataset {next(iter(undisturbed)).removesuffix('.json')}" in text for text in said)
    assert manifests(place) == undisturbed
    for folder in shards(place):
        Shard.open(folder, verify=True)
    assert not list(place.folder.glob("shards/.*"))
