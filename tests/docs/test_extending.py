"""The examples of docs/extending.md, as somebody would write them down from the page."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import mlflow
import mne
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
from search_spaces.finding import find_space
from tests.checkout import ROOT
from tests.crossmodal.models.checks import NETWORK_CHECKS
from tests.crossmodal.training.cohort import N_EEG, N_MAG, publish_cohort, small_experiment


def blocks(section: str, language: str) -> list[str]:
    """Code blocks of a section of the page."""
    text = (ROOT / "docs" / "extending.md").read_text().partition(f"## {section}\n")[2].partition("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def settings_of(section: str) -> dict[str, object]:
    (settings,) = blocks(section, "yaml")
    return yaml.safe_load(settings)


@pytest.fixture
def my_lab(tmp_path, monkeypatch):
    """The package of the page, on the path of this process alone."""
    folder = tmp_path / "lab" / "my_lab"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    for name, section in (("nets", "Add a model"), ("baselines", "Add a baseline"), ("space", "Add a search space")):
        (folder / f"{name}.py").write_text(blocks(section, "python")[0])
    with monkeypatch.context() as patch:
        patch.syspath_prepend(folder.parent)
        yield patch
    forget_my_lab()


def forget_my_lab():
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_lab"]:
        del sys.modules[name]


@pytest.fixture
def changed_platform(tmp_path):
    """A copy of the platform, to be changed as a section of the page says; give what runs Python in it."""
    for folder in ("platform", "preprocessing"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))

    def changed(section: str):
        for block in blocks(section, "diff"):
            apply(block, tmp_path)

        def run(program: str, *arguments: object) -> str:
            variables = os.environ | {"PYTHONPATH": f"{tmp_path}/platform{os.pathsep}{tmp_path}"}
            words = [sys.executable, "-c", program, *map(str, arguments)]
            done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, env=variables)
            assert done.returncode == 0, done.stderr
            return done.stdout

        return run

    return changed


def apply(block: str, root: Path) -> None:
    """Change a file as a block says that names it; what is there before must be there once."""
    path, *lines = block.splitlines(keepends=True)
    file = root / path.removeprefix("--- ").strip()
    # An editor takes the blank that begins an empty line.
    signed = [line if line.strip() else f" {line}" for line in lines]
    before, after = ("".join(line[1:] for line in signed if line[0] in signs) for signs in (" -", " +"))
    assert file.read_text().count(before) == 1, f"{path}the page no longer fits: {before}"
    file.write_text(file.read_text().replace(before, after))


@pytest.mark.parametrize("check", NETWORK_CHECKS)
def test_a_model_of_one_s_own_passes_the_checks_of_all(my_lab, check):
    written: dict[str, object] = {}
    exec(blocks("Add a model", "python")[1], written)
    written["test_my_net"](check)


def test_a_model_and_a_baseline_of_one_s_own_are_trained_scored_and_served(my_lab, tmp_path):
    settings = {**settings_of("Add a model"), **settings_of("Add a baseline"), "training.epochs": 1}
    experiment = checked(overridden(small_experiment(tmp_path), settings))
    assert experiment.model.taps == 7
    manifest = publish_cohort(experiment)
    run, (fold, *_) = run_name(experiment, manifest), make_folds(experiment.split, manifest)
    news: list[FoldProgress] = []
    train_fold(experiment, manifest, run, fold, World(), news.append)
    assert news[-1].result
    (evaluated,) = evaluate_folds(experiment, manifest, run, [fold])
    roles = {score.predictor: score.role for score in evaluated.scores.scores}
    assert (roles["my net, 3 wide"], roles["input mean"]) == ("model", "baseline")
    score, trivial = (
        next(score.score for score in evaluated.scores.scores if score.predictor == name) for name in ("input mean", "training mean")
    )
    assert score > trivial + 0.01

    with Tracker(experiment.tracking) as tracker, Journal(tracker, experiment, manifest, run, [fold]) as journal:
        journal.record(news[-1])
    # Where it is served, nobody has installed the package.
    my_lab.undo()
    forget_my_lab()
    mlflow.set_tracking_uri(experiment.tracking.uri)
    with Tracker(experiment.tracking) as tracker:
        served = mlflow.pyfunc.load_model(f"runs:/{tracker.find(run, fold.name).info.run_id}/model")
    assert served.predict(np.zeros((1, N_EEG, 64), np.float32)).shape == (1, N_MAG, 64)
    assert Path(sys.modules["my_lab"].__file__).parts[-3] == "code"


def test_a_space_of_one_s_own_makes_trials(my_lab, tmp_path):
    experiment = checked(overridden(small_experiment(tmp_path), settings_of("Add a search space")))
    space = find_space(experiment)
    drawn = space.rehearse(experiment)
    assert space.name == "my_lab.space"
    assert {"width", "taps", "learning_rate"} <= drawn.keys() == space.first[0].keys()


SCORE = """
import sys
import numpy as np
from mlflow import MlflowClient
from crossmodal.config import Experiment
from crossmodal.datasets.folds import make_folds
from crossmodal.models.registry import network_spec
from crossmodal.reporting.report import Publisher
from crossmodal.reporting.table import ScoreTable
from crossmodal.storage.node_cache import NodeCache
from crossmodal.tasks.choosing import task_of
from crossmodal.tracking.runs import Tracker

experiment = Experiment.model_validate(
    {
        "name": "tiny",
        "store": "store",
        "cortex": {"subjects": 3, "samples": 8, "electrodes": 16, "n_dipoles": 1000},
        "data": {"target": {"modality": "cortex"}},
        "model": {"kind": "source_net", "width": 8},
        "evaluation": {"baselines": []},
        "tracking": {"uri": "sqlite:///mlflow.db", "experiment": "tiny", "spool": "spool"},
    }
)
task = task_of(experiment)
manifest = task.find_dataset(experiment)
fold = make_folds(experiment.split, manifest)[0]
data = task.open_fold(experiment, manifest, fold, None)
network = network_spec(experiment.model).build(data.signals).eval()
evaluation = task.evaluator(experiment, "run").evaluate(data, network, data.normaliser)
scorecard = task.scorecard(experiment)
with Tracker(experiment.tracking) as tracker:
    publisher = Publisher(experiment.store, "run", tracker, scorecard.primary)
    publisher.publish_run(ScoreTable.of(experiment, [evaluation.scores], scorecard), {})
    run = tracker.find("run")
    print(*run.data.metrics)
"""


def test_a_new_metric_is_in_table_csv_and_mlflow(changed_platform, tmp_path):
    logged = changed_platform("Add a metric")(SCORE)
    (table,), (scores,) = (list((tmp_path / "store/scores").rglob(name)) for name in ("table.md", "scores.csv"))
    assert "| power |" in table.read_text()
    assert "power: share of the true power that is predicted in the truly strongest region." in table.read_text()
    rows = {row["predictor"]: row for row in csv.DictReader(scores.read_text().splitlines())}
    assert float(rows["zero"]["recovered_power"]) == 0
    assert 0 < float(rows["own-head minimum norm"]["recovered_power"]) < 1
    assert "recovered_power" in logged


READ = """
import sys
from pathlib import Path
import yaml
from crossmodal.config import Experiment
from preprocessing.readers.reading import list_recordings, open_recording

recordings = Experiment.model_validate({"name": "mine", "recordings": yaml.safe_load(sys.argv[1])}).recordings
for entry in list_recordings(recordings):
    print(entry.label, *open_recording(entry, recordings, Path("scratch")).raw.get_channel_types())
"""


def test_a_new_dataset_is_listed_and_opened(changed_platform, tmp_path):
    run = changed_platform("Add a dataset")
    config, reader = blocks("Add a dataset", "python")
    (tmp_path / "platform/crossmodal/config/my_lab.py").write_text(config)
    (tmp_path / "preprocessing/readers/my_lab.py").write_text(reader)
    for subject in ("01", "02"):
        (tmp_path / "cohort" / subject).mkdir(parents=True)
        raw = mne.io.RawArray(np.zeros((2, 500)), mne.create_info(["EEG001", "MEG0111"], 250.0, ["eeg", "mag"]), verbose="error")
        raw.save(tmp_path / "cohort" / subject / "rest_raw.fif", verbose="error")
    recordings = settings_of("Add a dataset")["recordings"] | {"root": str(tmp_path / "cohort")}
    assert run(READ, json.dumps(recordings)).splitlines() == [f"sub-{subject} run 01 eeg mag" for subject in ("01", "02")]
