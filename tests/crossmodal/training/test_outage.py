"""The object store goes away while a fold is trained, and comes back."""

import threading

import pytest

from crossmodal.config import UserError
from crossmodal.datasets.folds import make_folds
from crossmodal.storage.uri import list_names
from crossmodal.training.fold import FoldProgress, train_fold
from crossmodal.training.runs import checkpoints_uri, finished, run_name
from crossmodal.training.world import World
from tests.crossmodal.training.cohort import publish_cohort, small_experiment
from tests.servers import Server, s3_server

OUTAGE_S = 4.0


@pytest.fixture
def server(tmp_path, monkeypatch):
    with s3_server(tmp_path / "s3", monkeypatch) as server:
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

    with pytest.raises(UserError, match="cannot be reached"):
        train(experiment, manifest, tell)
