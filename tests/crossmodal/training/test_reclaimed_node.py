"""A spot node is told to stop while it trains, as Kubernetes tells its pods, on a real cluster of several raylets."""

import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import ray
from ray.cluster_utils import Cluster

from crossmodal.config import Experiment
from crossmodal.datasets.folds import make_folds
from crossmodal.training.ray_trainer import train_folds
from tests.crossmodal.training.cohort import publish_cohort, small_experiment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

ROOT = Path(__file__).resolve().parents[3]
EPOCHS = 60
NOTICE_S = 30


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A head without CPUs, as clusters of infra/ have, and nothing else yet."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "platform"), str(ROOT)]))
    monkeypatch.setenv("RAY_TRAIN_PREEMPTION_POLL_INTERVAL_S", "0.5")
    monkeypatch.setenv("RAY_agent_register_timeout_ms", "120000")
    monkeypatch.setenv("RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S", str(NOTICE_S))
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        ray.init(address=cluster.address, log_to_driver=False)
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


@pytest.fixture
def spot(cluster: Cluster, tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A node with two CPUs, started as a pod starts it."""
    command = [str(Path(sys.executable).with_name("ray")), "start", f"--address={cluster.address}", "--num-cpus=2", "--block"]
    command += ["--dashboard-agent-listen-port=0"]
    with open(tmp_path / "log", "wb") as log:
        node = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield node
    finally:
        for process in [*psutil.Process(node.pid).children(recursive=True), node] if node.poll() is None else ():
            process.kill()
        node.wait()


def train(experiment: Experiment, after_epoch: Callable[[int], None]) -> list[dict[str, float]]:
    """Train the fold that leaves the first subject out, and return its epochs without what the clock decides."""
    manifest = publish_cohort(experiment, duration_s=60)
    result = None
    for progress in train_folds(experiment, manifest, "run", make_folds(experiment.split, manifest)[:1]):
        after_epoch(len(progress.history))
        result = progress.result or result
    assert result is not None
    return [metrics.model_dump(exclude={"seconds", "windows_per_s"}) for metrics in result.history]


def weights(experiment: Experiment) -> bytes:
    return next(Path(experiment.store).glob("models/run/sub-1/weights.safetensors")).read_bytes()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[set[str]]:
    """Names of the checkpoints that lay in the store at some time."""
    names: set[str] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            names.update(found.name for found in (tmp_path / "disturbed").glob("store/runs/run/sub-1/epochs-*"))

    watching = threading.Thread(target=watch)
    watching.start()
    yield names
    over.set()
    watching.join()


def test_reclaimed_node_costs_no_step_no_failure_and_no_bit(cluster, spot, kept, tmp_path):
    disturbed, undisturbed = (
        small_experiment(tmp_path / name, workers=2, epochs=EPOCHS, max_failures=0) for name in ("disturbed", "undisturbed")
    )
    seen = []

    def reclaim(epoch: int) -> None:
        seen.append(epoch)
        if epoch == 3 and seen.count(3) == 1:
            cluster.add_node(num_cpus=2)
            spot.send_signal(signal.SIGTERM)

    epochs = train(disturbed, reclaim)
    assert spot.wait(timeout=60) == 1
    # Told twice how far it was: before the node went, and when it went on.
    (left,) = [epoch for epoch, following in itertools.pairwise(seen) if following == epoch and epoch < EPOCHS]
    assert [name for name in kept if name.startswith(f"epochs-{left:05d}-steps-")]
    assert [metrics["epoch"] for metrics in epochs] == list(range(EPOCHS))
    assert train(undisturbed, lambda epoch: None) == epochs
    assert weights(disturbed) == weights(undisturbed)
