"""Jobs submitted to a real cluster that asks for a token, and the runs they leave in MLflow: EEG to MEG, and a network of BOLD."""

import pytest
import yaml

from crossmodal.tracking.runs import Tracker
from tests.checkout import copy_checkout
from tests.crossmodal.training.scans import COHORTS
from tests.ray_cluster import ray_cluster

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkout")
    return folder, copy_checkout(folder)


@pytest.fixture(scope="module")
def cluster(s3):
    with ray_cluster(num_cpus=2) as cluster:
        yield cluster


def test_who_has_no_token_is_refused(cluster, tmp_path):
    refused = cluster.submit("-c", "pass", HOME=str(tmp_path), RAY_AUTH_MODE="disabled")
    assert refused.returncode != 0
    assert "auth" in (refused.stdout + refused.stderr).lower()


@pytest.mark.parametrize(("cohort", "held_out"), [("sensors", ["1", "2"]), ("volumes", ["1"])])
def test_submitted_job_trains_and_is_tracked(s3, cluster, checkout, tmp_path, cohort, held_out):
    make_experiment, publish = COHORTS[cohort]
    experiment = make_experiment(tmp_path, f"{s3}/submit-{cohort}", workers=2, epochs=2)
    publish(experiment)
    settings = experiment.model_dump(mode="json", exclude_unset=True)
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(settings))
    folder, commit = checkout

    done = cluster.submit("jobs/train.py", str(tmp_path / "small.yaml"), f"split.held_out={held_out}", checkout=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    with Tracker(experiment.tracking) as tracker:
        runs = tracker.client.search_runs([tracker.experiment_id])
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert len(parents) == 1
    assert sorted(run.info.run_name for run in runs if run not in parents) == [f"sub-{subject}" for subject in held_out]
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert {run.data.tags["mlflow.source.git.commit"] for run in runs} == {f"{commit}-changes-unknown"}
