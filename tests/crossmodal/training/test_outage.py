"""The object store, or MLflow, goes away while a fold is trained, and comes back."""

import threading

import pytest

from crossmodal.datasets.folds import make_folds
from crossmodal.storage.uri import StoreAwayError, list_names
from crossmodal.tracking.runs import Tracker
from crossmodal.training.fold import FoldProgress, train_fold
from crossmodal.training.journal import Journal
from crossmodal.training.runs import checkpoints_uri, finished, run_name
from crossmodal.training.world import World
from tests.crossmodal.training.cohort import publish_cohort, small_experiment
from tests.servers import Server, lead_to_s3, mlflow_server, s3_server

OUTAGE_S = 4.0


@pytest.fixture
def server(tmp_path, monkeypatch):
    with s3_server(tmp_path / "s3") as (server, variables):
        lead_to_s3(variables, monkeypatch)
        yield server


def train(experiment, manifest, tell):
    fold = make_folds(experiment.split, manifest)[0]
    train_fold(experiment, manifest, run_name(experiment, manifest), fold, World(), tell)


def losses(experiment, manifest):
    result = finished(experiment.store, run_name(experiment, manifest), "sub-1")
    assert result is not None
    return [(metrics.loss, metrics.validation_loss) for metrics in result.history]


def test_training_goes_on_while_the_store_is_away_and_its_end_waits_for_it(server: Server, tmp_path):
    experiment = small_experiment(tmp_path / "disturbed", "s3://bucket/store", epochs=5)
    manifest = publish_cohort(experiment)
    checkpoints = checkpoints_uri(experiment.store, run_name(experiment, manifest), "sub-1")
    epochs_away = []
    back = threading.Timer(OUTAGE_S, server.start)

    def tell(progress: FoldProgress) -> None:
        if len(progress.history) == 2 and not epochs_away:
            assert list_names(checkpoints) == ["epochs-00001", "epochs-00002"]
            server.stop()
            back.start()
        if back.ident and back.is_alive():
            epochs_away.append(len(progress.history))

    train(experiment, manifest, tell)
    back.join()
    assert epochs_away[:2] == [2, 3]
    undisturbed = small_experiment(tmp_path / "undisturbed", epochs=5)
    train(undisturbed, manifest, lambda progress: None)
    assert losses(experiment, manifest) == losses(undisturbed, manifest)
    assert list_names(checkpoints) == []


def test_a_store_that_stays_away_is_told(server: Server, tmp_path):
    experiment = small_experiment(tmp_path, "s3://bucket/store", epochs=2, outage_s=1)
    manifest = publish_cohort(experiment)

    def tell(progress: FoldProgress) -> None:
        if len(progress.history) == 1:
            server.stop()

    with pytest.raises(StoreAwayError, match="cannot be reached"):
        train(experiment, manifest, tell)


@pytest.mark.slow
def test_what_mlflow_missed_while_it_was_away_is_delivered_in_order(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    experiment = small_experiment(tmp_path, epochs=4)
    manifest = publish_cohort(experiment)
    run, folds = run_name(experiment, manifest), make_folds(experiment.split, manifest)
    with mlflow_server(tmp_path / "mlflow") as (server, uri):
        experiment = experiment.model_copy(update={"tracking": experiment.tracking.model_copy(update={"uri": uri})})
        with Tracker(experiment.tracking) as tracker, Journal(tracker, experiment, manifest, run, folds) as journal:

            def tell(progress: FoldProgress) -> None:
                if len(progress.history) == 2:
                    server.stop()
                journal.record(progress)

            train_fold(experiment, manifest, run, folds[0], World(), tell)
            assert list((tmp_path / "spool").iterdir())
            server.start()
        assert not list((tmp_path / "spool").iterdir())
        parent, fold = tracker.find(run), tracker.find(run, "sub-1")
        assert parent.info.status == fold.info.status == "FINISHED"
        history = tracker.client.get_metric_history(fold.info.run_id, "loss")
        result = finished(experiment.store, run, "sub-1")
        assert [(metric.step, metric.value) for metric in history] == [(metrics.epoch, metrics.loss) for metrics in result.history]
        # Told when it happened, not when it was delivered.
        assert history[-1].timestamp < fold.info.end_time - 1000 * result.history[-1].seconds
        assert len(tracker.client.get_metric_history(fold.info.run_id, "system/process_memory_usage_megabytes")) == 4
        assert len(tracker.client.search_logged_models([tracker.experiment_id])) == 1
