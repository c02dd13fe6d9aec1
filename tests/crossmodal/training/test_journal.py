import math

import mlflow
import numpy as np
import pytest
import torch

from crossmodal.datasets.folds import make_folds
from crossmodal.tracking.runs import Tracker
from crossmodal.training.experiment import train_experiment
from crossmodal.training.fold import FoldProgress, train_fold
from crossmodal.training.journal import Journal
from crossmodal.training.plan import plan_training
from crossmodal.training.runs import run_name
from crossmodal.training.world import World
from tests.crossmodal.training.cohort import N_EEG, open_first_fold, publish_cohort, small_experiment


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """One of five folds trained, without Ray, and MLflow told."""
    root = tmp_path_factory.mktemp("journal")
    experiment = small_experiment(root, epochs=3)
    manifest = publish_cohort(experiment)
    folds, run = make_folds(experiment.split, manifest), run_name(experiment, manifest)
    news: list[FoldProgress] = []
    train_fold(experiment, manifest, run, folds[0], World(), news.append)
    with Tracker(experiment.tracking) as tracker, Journal(tracker, experiment, manifest, run, folds) as journal:
        for progress in news:
            journal.record(progress)
    return experiment, manifest, run, news


def test_runs_tell_where_everything_comes_from(trained):
    experiment, manifest, run, news = trained
    with Tracker(experiment.tracking) as tracker:
        parent, fold = tracker.find(run), tracker.find(run, "sub-1")
        history = tracker.client.get_metric_history(fold.info.run_id, "validation_loss")
        files = {found.path for found in tracker.client.list_artifacts(parent.info.run_id)}
    assert parent.info.status == fold.info.status == "FINISHED"
    assert parent.data.params["training.epochs"] == "3"
    assert not [key for key in parent.data.params if key.startswith("tracking")]
    assert files == {"experiment.json", "dataset.json"}
    assert fold.data.tags["dataset.fingerprint"] == manifest.fingerprint == fold.inputs.dataset_inputs[0].dataset.digest
    assert fold.data.params == {"fold": "sub-1", "train": "3, 4, 5", "validation": "2", "test": "1"}
    assert [metric.value for metric in history] == [metrics.validation_loss for metrics in news[-1].history]
    assert fold.data.metrics["system/process_memory_usage_megabytes"] > 0


def test_logged_model_predicts_in_si_units(trained, tmp_path):
    experiment, manifest, run, _ = trained
    mlflow.set_tracking_uri(experiment.tracking.uri)
    with Tracker(experiment.tracking) as tracker:
        model = mlflow.pyfunc.load_model(f"runs:/{tracker.find(run, 'sub-1').info.run_id}/model")
    data = open_first_fold(experiment, manifest, tmp_path)
    batch = next(data.test.batches(len(data.test), np.arange(len(data.test))))
    predicted_bst = model.predict(data.normaliser.input.inverse(batch.input_bct).numpy())
    error = torch.from_numpy(predicted_bst) - data.normaliser.target.inverse(batch.target_bst)
    assert math.sqrt((error**2).mean()) < 3e-13
    assert model.metadata.metadata["target"]["unit"] == "T"
    assert len(model.metadata.metadata["input"]["channels"]) == N_EEG
    with pytest.raises(mlflow.MlflowException, match="shape"):
        model.predict(np.zeros((1, N_EEG + 1, data.signals.input.n_times), np.float32))


def test_what_is_trained_is_neither_trained_nor_logged_again(trained):
    experiment, _, run, news = trained
    only = experiment.model_copy(update={"split": experiment.split.model_copy(update={"held_out": ("1",)})})
    plan = plan_training(only)
    assert (plan.run, plan.finished, plan.missing) == (run, {"sub-1": news[-1].result}, ())
    train_experiment(plan, lambda progress: pytest.fail("trained again"))
    with Tracker(experiment.tracking) as tracker:
        assert len(tracker.client.search_runs([tracker.experiment_id])) == 2
        assert len(tracker.client.search_logged_models([tracker.experiment_id])) == 1
