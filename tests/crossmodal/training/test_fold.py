import contextlib
from pathlib import Path

import mne
import pytest
import torch

from crossmodal.config import UserError
from crossmodal.datasets.batches import BatchReader
from crossmodal.datasets.folds import make_folds
from crossmodal.models.store import load_model
from crossmodal.storage.uri import exists, fetch_folder, join
from crossmodal.tasks.sensors.task import TARGET_INFO
from crossmodal.training.fold import FoldProgress, train_fold
from crossmodal.training.runs import checkpoints_uri, finished, model_uri, run_name
from crossmodal.training.validation import validate
from crossmodal.training.world import World
from crossmodal.transforms.scaling import Normaliser
from tests.crossmodal.training.cohort import open_first_fold, publish_cohort, small_experiment


def train(experiment, manifest, tell=lambda progress: None):
    fold = make_folds(experiment.split, manifest)[0]
    train_fold(experiment, manifest, run_name(experiment, manifest), fold, World(), tell)


@pytest.fixture(params=["local", "s3"])
def experiment(request, tmp_path):
    store = f"{request.getfixturevalue('s3')}/{tmp_path.name}" if request.param == "s3" else None
    return small_experiment(tmp_path, store, epochs=3)


def test_leaves_the_best_model_and_no_checkpoints(experiment, tmp_path):
    manifest = publish_cohort(experiment)
    news: list[FoldProgress] = []
    train(experiment, manifest, news.append)
    assert [len(progress.history) for progress in news] == [0, 1, 2, 3, 3]

    run = run_name(experiment, manifest)
    result = finished(experiment.store, run, "sub-1")
    assert result == news[-1].result
    assert not exists(join(checkpoints_uri(experiment.store, run, "sub-1"), "epochs-00003", "history.json"))
    fetch_folder(model_uri(experiment.store, run, "sub-1"), tmp_path / "model")
    network, card = load_model(tmp_path / "model")
    data = open_first_fold(experiment, manifest, tmp_path)
    assert validate(network, data.validation, experiment.training, World()).terms == {"mse": result.best.validation_loss}
    assert Normaliser.from_plain(card.normaliser).target.scale_c.equal(data.normaliser.target.scale_c)
    assert mne.io.read_info(tmp_path / "model" / TARGET_INFO, verbose="error")["ch_names"] == list(card.signals.target.names)
    assert card.recorded_names == card.signals.input.names == data.signals.input.names
    assert card.trained_on == ("3", "4", "5", "2")

    train(experiment, manifest, news.append)
    assert news[-1] == FoldProgress("sub-1", result.history, result=result)


def test_a_model_of_few_channels_remembers_which_were_recorded(tmp_path):
    experiment = small_experiment(tmp_path, epochs=1)
    few = experiment.data.model_copy(update={"input": experiment.data.input.model_copy(update={"channels": ("EEG1", "EEG4")})})
    experiment = experiment.model_copy(update={"data": few})
    manifest = publish_cohort(experiment)
    train(experiment, manifest)
    _, card = load_model(Path(model_uri(experiment.store, run_name(experiment, manifest), "sub-1")))
    assert (card.signals.input.names, card.recorded_names) == (("EEG1", "EEG4"), manifest.entries[0].channels["eeg"])


def test_a_fold_goes_on_where_it_was_interrupted(experiment):
    manifest = publish_cohort(experiment)
    news: list[FoldProgress] = []

    def die(progress: FoldProgress) -> None:
        if len(progress.history) == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train(experiment, manifest, die)
    train(experiment, manifest, news.append)
    assert [len(progress.history) for progress in news] == [2, 3, 3]


def test_a_full_disk_is_told_and_leaves_nothing_half_written(small_disk, tmp_path):
    experiment = small_experiment(tmp_path, str(small_disk / "store"), epochs=2)
    manifest = publish_cohort(experiment)
    ballast = small_disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    with pytest.raises(UserError, match="no space left"):
        train(experiment, manifest)
    assert not list(small_disk.glob("store/runs/**/*.*"))
    ballast.unlink()
    train(experiment, manifest)


def test_what_log1p_clipped_is_told(tmp_path, caplog):
    experiment = small_experiment(tmp_path, epochs=1)
    clipping = experiment.model_copy(update={"data": experiment.data.model_copy(update={"target_scaling": "minmax_log1p"})})
    train(experiment, publish_cohort(experiment))
    assert "log1p" not in caplog.text
    train(clipping, publish_cohort(clipping))
    assert "target values below the training recordings' minimum" in caplog.text


def test_a_feed_that_does_not_repeat_itself_is_found_before_training(tmp_path, monkeypatch):
    experiment = small_experiment(tmp_path, epochs=1, check_feed=True)
    manifest = publish_cohort(experiment)
    fold, run = make_folds(experiment.split, manifest)[0], run_name(experiment, manifest)
    read = BatchReader.batches

    def drifting(self, *arguments):
        for batch in read(self, *arguments):
            batch.input_bct.add_(torch.rand(()))
            yield batch

    monkeypatch.setattr(BatchReader, "batches", drifting)
    with pytest.raises(UserError, match="BatchReader yields different samples for the same index"):
        train_fold(experiment, manifest, run, fold, World(), lambda progress: None)
    assert finished(experiment.store, run, fold.name) is None
    monkeypatch.undo()
    train_fold(experiment, manifest, run, fold, World(), lambda progress: None)
    assert finished(experiment.store, run, fold.name)
    assert run == run_name(small_experiment(tmp_path, epochs=1), manifest)
