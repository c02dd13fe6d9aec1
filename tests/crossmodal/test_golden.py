"""Small experiments end with the numbers that they ended with before: a refactor changes none of them.

`golden.json` holds loss curves and scores. Where numbers are meant to change, `python -m tests.crossmodal.test_golden` writes it anew, and
the commit says why.
"""

import json
import tempfile
from pathlib import Path

import pytest

from crossmodal.config import Experiment, overridden
from crossmodal.config.parsing import parse
from crossmodal.datasets.folds import make_folds
from crossmodal.datasets.manifest import Manifest
from crossmodal.models.checking import checked
from crossmodal.tasks.evaluate import evaluate_folds
from crossmodal.training.fold import train_fold
from crossmodal.training.plan import find_dataset
from crossmodal.training.runs import finished, run_name
from crossmodal.training.world import World, make_reproducible
from tests.crossmodal.training.cohort import publish_cohort, small_experiment

GOLDEN = Path(__file__).parent / "golden.json"
# Processors round otherwise, and small differences grow from epoch to epoch.
TOLERANCE = 1e-4
BASELINES = [{"kind": "training_mean"}, {"kind": "ridge"}, {"kind": "ridge", "lag_s": 0.1}]
EXPERIMENTS = {
    "U-Net with norm and dropout": {},
    "U-Net with an input skip": {
        "model": {
            "kind": "synaptech_net",
            "widths": [4, 8],
            "norm": "none",
            "bridge_hidden": 4,
            "bridge_layers": 1,
            "input_skip": {"filters": 2, "taps": 5},
        }
    },
    "U-Net of a scalogram": {
        "model": {
            "kind": "synaptech_net",
            "representation": {"kind": "scalogram", "frequencies": 6, "lowest_hz": 4, "highest_hz": 20},
            "widths": [4, 8],
            "bridge_hidden": 4,
            "bridge_layers": 1,
        }
    },
    "transformer": {"model": {"kind": "aim", "width": 16, "encoder_layers": 1, "decoder_layers": 1, "heads": 2}},
    "cortical regions": {
        "name": "cortex",
        "cortex": {"subjects": 3, "samples": 60},
        "data": {"target": {"modality": "cortex"}},
        "model": {"kind": "source_net", "width": 16},
        "training": {"epochs": 3, "workers": 1},
        "evaluation": {"baselines": [{"kind": "ridge"}, {"kind": "minimum_norm"}]},
    },
}


def made(settings: dict[str, object], root: Path) -> tuple[Experiment, Manifest]:
    """An experiment, and its dataset."""
    if "cortex" in settings:
        return find_dataset(checked(parse(Experiment, settings | {"store": str(root / "store")})))
    evaluation = {"baselines": BASELINES, "ceilings": False}
    experiment = overridden(small_experiment(root), {"evaluation": evaluation, **settings})
    return experiment, publish_cohort(experiment)


def numbers(settings: dict[str, object], root: Path) -> dict[str, object]:
    """Train and evaluate one fold: losses of each epoch, and what each row explains."""
    experiment, manifest = made(settings, root)
    fold, run = make_folds(experiment.split, manifest)[0], run_name(experiment, manifest)
    train_fold(experiment, manifest, run, fold, World(), lambda progress: None)
    history = finished(experiment.store, run, fold.name).history
    (evaluated,) = evaluate_folds(experiment, manifest, run, [fold])
    return {
        "loss": [epoch.loss for epoch in history],
        "validation loss": [epoch.validation_loss for epoch in history],
        "explained variance": {score.predictor: score.score for score in evaluated.scores.scores},
        "r": {score.predictor: score.values["r"] for score in evaluated.scores.scores if score.values.get("r") is not None},
    }


@pytest.fixture(autouse=True)
def _one_thread():
    make_reproducible(threads=1)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_numbers_are_as_before(name, tmp_path):
    was, now = json.loads(GOLDEN.read_text())[name], numbers(EXPERIMENTS[name], tmp_path)
    assert now.keys() == was.keys()
    for quantity, values in now.items():
        assert values == pytest.approx(was[quantity], rel=TOLERANCE, abs=TOLERANCE), quantity


if __name__ == "__main__":
    make_reproducible(threads=1)
    golden = {}
    for of_experiment, changes in EXPERIMENTS.items():
        with tempfile.TemporaryDirectory() as scratch:
            golden[of_experiment] = numbers(changes, Path(scratch))
    GOLDEN.write_text(json.dumps(golden, indent=1) + "\n")
