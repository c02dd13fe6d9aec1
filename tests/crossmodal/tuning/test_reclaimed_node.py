"""A spot node is told to stop while a trial of one worker trains on it, on a real cluster of several raylets."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
import ray
from optuna.trial import TrialState
from ray.cluster_utils import Cluster

from crossmodal.config import overridden
from crossmodal.tracking.runs import Tracker
from crossmodal.tuning.plan import plan_sweep
from crossmodal.tuning.sweep import search
from tests.crossmodal.training.cohort import has_checkpoint, publish_cohort, small_experiment
from tests.crossmodal.tuning.conftest import SMALL

ROOT = Path(__file__).resolve().parents[3]
EPOCHS = 60


def start_node(cluster: Cluster) -> "subprocess.Popen[bytes]":
    """Join a node with one CPU, as a pod does."""
    command = [str(Path(sys.executable).with_name("ray")), "start", f"--address={cluster.address}", "--num-cpus=1", "--block"]
    return subprocess.Popen([*command, "--dashboard-agent-listen-port=0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.mark.slow
def test_a_trial_leaves_a_reclaimed_node_with_a_checkpoint_and_is_not_counted_as_failed(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "platform"), str(ROOT)]))
    monkeypatch.setenv("RAY_agent_register_timeout_ms", "120000")
    monkeypatch.setenv("RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S", "15")
    experiment = small_experiment(tmp_path, epochs=EPOCHS, max_failures=0)
    publish_cohort(experiment, duration_s=60)
    changes = {"tuning.folds": 2, "tuning.stop.trials": 1, "tuning.space": SMALL.name}
    plan = plan_sweep(overridden(experiment, changes), SMALL)
    left, over = set(), threading.Event()
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    spot, *others = [start_node(cluster)]

    def reclaim() -> None:
        while not over.wait(0.1) and not has_checkpoint(experiment.store, "small-0000-"):
            pass
        others.append(start_node(cluster))
        spot.send_signal(signal.SIGTERM)
        while not over.wait(0.1):
            left.update(found.name for found in Path(experiment.store).glob("runs/small-0000-*/*/epochs-*-steps-*"))

    watching = threading.Thread(target=reclaim)
    watching.start()
    try:
        ray.init(address=cluster.address, log_to_driver=False)
        with Tracker(experiment.tracking) as tracker:
            study, _, _ = search(plan, tracker, lambda trial: None)
    finally:
        over.set()
        watching.join()
        ray.shutdown()
        for node in [spot, *others]:
            for process in [*psutil.Process(node.pid).children(recursive=True), node] if node.poll() is None else ():
                process.kill()
            node.wait()
        cluster.shutdown()
    assert left, "the trial kept what it had of its epoch"
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE]
