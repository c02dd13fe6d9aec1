"""A whole training job, during which neither the object store nor MLflow answers for five minutes."""

import contextlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from crossmodal.tracking.runs import Tracker
from crossmodal.training.checkpoint import latest_checkpoint
from crossmodal.training.runs import checkpoints_uri, finished, run_name
from tests.crossmodal.training.cohort import publish_cohort, small_experiment
from tests.jobs.conftest import ROOT
from tests.ray_cluster import kill
from tests.servers import lead_to_s3, mlflow_server, s3_server

OUTAGE_S = 300
FOLDS = ("sub-1", "sub-2")


def epochs(log: Path) -> int:
    return len(re.findall(r"epoch \d+/", log.read_text()))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_five_minutes_without_store_and_mlflow_lose_nothing(tmp_path, monkeypatch):
    with contextlib.ExitStack() as stack:
        store, variables = stack.enter_context(s3_server(tmp_path / "s3"))
        lead_to_s3(variables, monkeypatch)
        mlflow, address = stack.enter_context(mlflow_server(tmp_path / "mlflow", artifacts="s3://bucket/mlflow"))
        experiment = small_experiment(tmp_path, "s3://bucket/store", workers=2, epochs=80)
        tracking = experiment.tracking.model_copy(update={"uri": address})
        experiment = experiment.model_copy(update={"tracking": tracking})
        manifest = publish_cohort(experiment)
        settings = tmp_path / "small.yaml"
        settings.write_text(yaml.safe_dump(experiment.model_dump(mode="json", exclude_unset=True)))
        log = tmp_path / "log"
        command = [sys.executable, str(ROOT / "jobs/train.py"), str(settings), f"split.held_out={[name[4:] for name in FOLDS]}"]
        with log.open("wb") as file:
            job = subprocess.Popen(command, cwd=tmp_path, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=file, stderr=file)
        stack.callback(lambda: kill(job) if job.poll() is None else None)
        while epochs(log) < 1:
            assert job.poll() is None, log.read_text()
            time.sleep(0.1)
        mlflow.stop()
        store.stop()
        before = epochs(log)
        time.sleep(OUTAGE_S)
        assert job.poll() is None, log.read_text()
        assert epochs(log) > before + 1, "training goes on"
        store.start()
        mlflow.start()
        assert job.wait(timeout=600) == 0, log.read_text()

        run = run_name(experiment, manifest)
        with Tracker(tracking) as tracker:
            for name in FOLDS:
                fold, result = tracker.find(run, name), finished(experiment.store, run, name)
                assert fold.info.status == "FINISHED"
                history = tracker.client.get_metric_history(fold.info.run_id, "loss")
                assert [(metric.step, metric.value) for metric in history] == [(each.epoch, each.loss) for each in result.history]
                assert len(history) == experiment.training.epochs
                assert [metric.timestamp for metric in history] == sorted(metric.timestamp for metric in history)
                assert latest_checkpoint(checkpoints_uri(experiment.store, run, name)) is None
            assert len(tracker.client.search_logged_models([tracker.experiment_id])) == len(FOLDS)
