"""A whole lab on one machine, of real parts: a search on several Ray nodes, one of which is lost in the middle of it.

MLflow's server keeps runs in PostgreSQL and artifacts on S3, where the store is; Optuna's study is in PostgreSQL, too.
"""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
import yaml
from mlflow import MlflowClient
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from tests.crossmodal.training.cohort import has_checkpoint, publish_cohort, small_experiment
from tests.ray_cluster import RAY, ROOT, kill, ray_cluster
from tests.servers import mlflow_server

pytestmark = pytest.mark.slow

N_TRIALS, TIMEOUT_S = 4, 500


@pytest.fixture
def tracking_uri(postgresql: str, s3: str, tmp_path: Path) -> Iterator[str]:
    """Address of an MLflow server as infra/compose starts it."""
    with mlflow_server(tmp_path / "mlflow", postgresql.replace("/optuna?", "/mlflow?"), f"{s3}/mlflow") as (_, address):
        yield address


def trials_of(storage: str) -> list[optuna.trial.FrozenTrial]:
    """Look at the study from beside; nothing while it is not there yet."""
    with contextlib.suppress(Exception):
        return optuna.load_study(study_name="small", storage=RDBStorage(storage, skip_table_creation=True)).get_trials(deepcopy=False)
    return []


def wait_until_both_nodes_train(store: str, job: "subprocess.Popen[bytes]", log: Path) -> None:
    """Each node has room for one trial: both do, when two trials have ended an epoch."""
    while not all(has_checkpoint(store, f"small-{number:04d}-") for number in (0, 1)):
        assert job.poll() is None, log.read_text()
        time.sleep(0.2)


def test_a_search_outlives_a_node_and_accounts_for_every_trial(s3, postgresql, tracking_uri, tmp_path):
    experiment = small_experiment(tmp_path, f"{s3}/lab", epochs=40)
    publish_cohort(experiment)
    settings = experiment.model_dump(mode="json", exclude_unset=True)
    settings["tracking"]["uri"] = tracking_uri
    settings["evaluation"] = {"baselines": [{"kind": "ridge"}]}
    settings["tuning"] = {"space": "common", "folds": 2, "storage": postgresql, "parallel_trials": 2, "halving": None}
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(settings))

    with ray_cluster(num_cpus=0) as cluster, cluster.node("one", 1), cluster.node("two", 1) as lost:
        command = [RAY, "job", "submit", "--", "python", f"{ROOT}/jobs/tune.py", f"{tmp_path}/small.yaml", "--trials", str(N_TRIALS)]
        log = tmp_path / "job.log"
        with log.open("wb") as file:
            job = subprocess.Popen(command, cwd=ROOT, env=cluster.environment, stdout=file, stderr=file)
        wait_until_both_nodes_train(experiment.store, job, log)
        kill(lost)
        assert job.wait(timeout=TIMEOUT_S) == 0, log.read_text()
    assert "Trial task failed for trial" in log.read_text(), "Ray lost a trial with the node, and began it again"

    trials = trials_of(postgresql)
    assert [trial.number for trial in trials] == list(range(N_TRIALS))
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    client = MlflowClient(tracking_uri)
    runs = client.search_runs([client.get_experiment_by_name("tests").experiment_id], max_results=1000)
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert sorted(int(run.data.tags["trial"]) for run in runs if run.data.tags.get("level") == "trial") == list(range(N_TRIALS))
    (sweep,) = (run for run in runs if run.data.tags.get("level") == "sweep")
    assert "figures" in [found.path for found in client.list_artifacts(sweep.info.run_id)]
    assert len(client.search_model_versions("name = 'small'")) == 1
