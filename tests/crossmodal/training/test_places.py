"""Where sensors are reaches a model by one path: in training, validation, evaluation, the time of a pass, and as MLflow serves it."""

import mlflow
import numpy as np
import pytest
import torch

from crossmodal.datasets.feed import with_places
from crossmodal.models.registry import network_spec
from crossmodal.models.store import TrainedModel
from crossmodal.storage.uri import fetch_folder
from crossmodal.tasks.evaluate import evaluate_folds
from crossmodal.tracking.runs import Tracker
from crossmodal.training.fold import FoldProgress, train_fold
from crossmodal.training.journal import Journal
from crossmodal.training.plan import plan_training
from crossmodal.training.runs import model_uri
from crossmodal.training.world import World
from crossmodal.tuning.trial import _latency_s
from tests.crossmodal.training.cohort import open_first_fold, publish_cohort, small_experiment

PLACED = "tests.crossmodal.training.placed.Placed"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    root = tmp_path_factory.mktemp("places")
    experiment = small_experiment(root, epochs=3)
    network = network_spec(experiment.model.model_validate({"kind": PLACED})).settings
    experiment = experiment.model_copy(
        update={"model": network, "evaluation": experiment.evaluation.model_copy(update={"baselines": (), "ceilings": False})}
    )
    publish_cohort(experiment)
    plan = plan_training(experiment)
    news: list[FoldProgress] = []
    train_fold(plan.experiment, plan.manifest, plan.run, plan.folds[0], World(), news.append)
    with (
        Tracker(experiment.tracking) as tracker,
        Journal(tracker, plan.experiment, plan.manifest, plan.run, plan.folds[:1]) as journal,
    ):
        for progress in news:
            journal.record(progress)
    return plan, root


def test_a_batch_of_mixed_subjects_holds_the_places_of_each(trained):
    plan, root = trained
    data = open_first_fold(plan.experiment, plan.manifest, root)
    order = np.random.default_rng(0).permutation(len(data.train))[:16]
    (batch,) = with_places(data.train, data.train.batches(16, order), wanted=True)
    subjects = data.train.subjects[order]
    assert len(set(subjects)) > 1
    for row, subject in enumerate(subjects):
        expected = [channel["loc"][:3] for channel in data.info(subject)["chs"][: batch.input_bct.shape[1]]]
        np.testing.assert_allclose(batch.places.input_bc3[row], expected, atol=1e-6)


def test_evaluation_serving_and_a_predictor_for_the_subject_say_the_same(trained, tmp_path):
    plan, root = trained
    data = open_first_fold(plan.experiment, plan.manifest, root)
    fetch_folder(model_uri(plan.experiment.store, plan.run, plan.folds[0].name), tmp_path / "model")
    predictor = TrainedModel.load(tmp_path / "model").predictor
    (batch,) = with_places(data.test, data.test.batches(len(data.test), np.arange(len(data.test))), wanted=True)
    x_bct = data.normaliser.input.inverse(batch.input_bct)
    with torch.no_grad():
        expected = predictor(x_bct, batch.places).numpy()
        of_subject = predictor.for_subject(data.info("1"), data.signals, average_reference=True)
        np.testing.assert_allclose(of_subject(x_bct).numpy(), expected, rtol=1e-5, atol=1e-18)
    (evaluation,) = evaluate_folds(plan.experiment, plan.manifest, plan.run, plan.folds[:1])
    example = evaluation.detail.subjects["1"].example[network_spec(plan.experiment.model).config.title]
    np.testing.assert_allclose(example, expected[len(expected) // 2], rtol=1e-4, atol=1e-17)
    mlflow.set_tracking_uri(plan.experiment.tracking.uri)
    with Tracker(plan.experiment.tracking) as tracker:
        served = mlflow.pyfunc.load_model(f"runs:/{tracker.find(plan.run, 'sub-1').info.run_id}/model")
    named = {name: tensor.numpy() for name, tensor in batch.places.tensors().items()}
    np.testing.assert_allclose(served.predict({"input": x_bct.numpy(), **named}), expected, rtol=1e-5, atol=1e-18)
    with pytest.raises(mlflow.MlflowException, match="input_bc3"):
        served.predict({"input": x_bct.numpy()})


def test_the_time_of_a_pass_is_measured_with_places(trained):
    plan, _ = trained
    assert _latency_s(model_uri(plan.experiment.store, plan.run, plan.folds[0].name), torch.device("cpu")) > 0
