"""A job submitted to a real cluster that asks for a token, and the run it leaves in MLflow."""

import pytest
import yaml

from crossmodal.tracking.runs import Tracker
from tests.checkout import copy_checkout
from tests.crossmodal.training.cohort import publish_cohort, small_experiment
from tests.ray_cluster import ray_cluster


@pytest.mark.slow
def test_submitted_job_trains_and_is_tracked(s3, tmp_path):
    experiment = small_experiment(tmp_path, f"{s3}/submit", workers=2, epochs=2)
    publish_cohort(experiment)
    settings = experiment.model_dump(mode="json", exclude_unset=True)
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(settings))
    commit = copy_checkout(tmp_path / "checkout")

    with ray_cluster(num_cpus=2) as cluster:
        refused = cluster.submit("-c", "pass", HOME=str(tmp_path), RAY_AUTH_MODE="disabled")
        assert refused.returncode != 0
        assert "auth" in (refused.stdout + refused.stderr).lower()

        done = cluster.submit("jobs/train.py", str(tmp_path / "small.yaml"), "split.held_out=['1','2']", checkout=tmp_path / "checkout")
        assert done.returncode == 0, done.stdout + done.stderr
    with Tracker(experiment.tracking) as tracker:
        runs = tracker.client.search_runs([tracker.experiment_id])
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert len(parents) == 1
    assert sorted(run.info.run_name for run in runs if run not in parents) == ["sub-1", "sub-2"]
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert {run.data.tags["mlflow.source.git.commit"] for run in runs} == {f"{commit}-changes-unknown"}
