"""The examples of docs/extending.md, as somebody would write them down from the page."""

import re
import sys
from pathlib import Path

import mlflow
import numpy as np
import pytest
import yaml

from crossmodal.config import overridden
from crossmodal.datasets.folds import make_folds
from crossmodal.models.checking import checked
from crossmodal.tasks.evaluate import evaluate_folds
from crossmodal.tracking.runs import Tracker
from crossmodal.training.fold import FoldProgress, train_fold
from crossmodal.training.journal import Journal
from crossmodal.training.runs import run_name
from crossmodal.training.world import World
from tests.checkout import ROOT
from tests.crossmodal.models.checks import NETWORK_CHECKS
from tests.crossmodal.training.cohort import N_EEG, N_MAG, publish_cohort, small_experiment


def blocks(section: str) -> list[str]:
    """Code blocks of a section of the page."""
    text = (ROOT / "docs" / "extending.md").read_text().partition(f"## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"```\w+\n(.*?)```", text, re.DOTALL)


@pytest.fixture
def my_lab(tmp_path, monkeypatch):
    """The package of the page, on the path of this process alone."""
    module, settings, test = blocks("Add a model")
    folder = tmp_path / "lab" / "my_lab"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "nets.py").write_text(module)
    with monkeypatch.context() as patch:
        patch.syspath_prepend(folder.parent)
        yield yaml.safe_load(settings), test, patch
    forget_my_lab()


def forget_my_lab():
    for name in ("my_lab.nets", "my_lab"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("check", NETWORK_CHECKS)
def test_a_model_of_one_s_own_passes_the_checks_of_all(my_lab, check):
    written: dict[str, object] = {}
    exec(my_lab[1], written)
    written["test_my_net"](check)


def test_a_model_of_one_s_own_is_trained_scored_and_served(my_lab, tmp_path):
    settings, _, patch = my_lab
    evaluation = {"evaluation.baselines": [], "training.epochs": 1}
    experiment = checked(overridden(small_experiment(tmp_path), settings | evaluation))
    assert experiment.model.taps == 7
    manifest = publish_cohort(experiment)
    run, (fold, *_) = run_name(experiment, manifest), make_folds(experiment.split, manifest)
    news: list[FoldProgress] = []
    train_fold(experiment, manifest, run, fold, World(), news.append)
    assert news[-1].result
    (evaluated,) = evaluate_folds(experiment, manifest, run, [fold])
    assert "my net, 3 wide" in {score.predictor for score in evaluated.scores.scores}

    with Tracker(experiment.tracking) as tracker, Journal(tracker, experiment, manifest, run, [fold]) as journal:
        journal.record(news[-1])
    # Where it is served, nobody has installed the package.
    patch.undo()
    forget_my_lab()
    mlflow.set_tracking_uri(experiment.tracking.uri)
    with Tracker(experiment.tracking) as tracker:
        served = mlflow.pyfunc.load_model(f"runs:/{tracker.find(run, fold.name).info.run_id}/model")
    assert served.predict(np.zeros((1, N_EEG, 64), np.float32)).shape == (1, N_MAG, 64)
    assert Path(sys.modules["my_lab"].__file__).parts[-3] == "code"
