"""A model is scored by its own fold, and ceilings stand on the cohort that the experiment tells of."""

import json
import re
import shutil
from pathlib import Path

import pytest

from crossmodal.config import UserError
from crossmodal.models.store import CARD, WEIGHTS
from crossmodal.physics.cohort_settings import settings_path
from crossmodal.tasks.evaluate import evaluate_folds
from crossmodal.tasks.sensors.ceilings import References
from crossmodal.training.fold import train_fold
from crossmodal.training.plan import plan_training
from crossmodal.training.runs import model_uri
from crossmodal.training.world import World
from tests.crossmodal.evaluation.gaussian_cohort import gaussian_experiment, publish_cohort


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    experiment = gaussian_experiment(tmp_path_factory.mktemp("trained"))
    publish_cohort(experiment, duration_s=10.0)
    plan = plan_training(experiment)
    for fold in plan.folds[:2]:
        train_fold(plan.experiment, plan.manifest, plan.run, fold, World(), lambda progress: None)
    return plan


@pytest.fixture
def models(trained):
    """Folders of the first two folds' models, which are put back afterwards."""
    folders = [Path(model_uri(trained.experiment.store, trained.run, f"sub-0{number}")) for number in (1, 2)]
    for folder in folders:
        shutil.copytree(folder, folder.with_suffix(".kept"))
    yield folders
    for folder in folders:
        shutil.rmtree(folder)
        folder.with_suffix(".kept").rename(folder)


def edit(folder, **changes):
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps(card | changes))
    return card


def refusal(plan):
    with pytest.raises(UserError) as refused:
        list(evaluate_folds(plan.experiment, plan.manifest, plan.run, plan.folds[:1]))
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_models_in_their_places_are_scored(trained):
    first, second = evaluate_folds(trained.experiment, trained.manifest, trained.run, trained.folds[:2])
    assert (first.scores.fold, second.scores.fold) == ("sub-01", "sub-02")


def test_the_model_of_another_fold_is_refused(trained, models):
    one, two = models
    shutil.rmtree(one)
    shutil.copytree(two, one)
    assert f"holds the model of fold sub-02 of {trained.run}, not that of fold sub-01 of {trained.run}" in refusal(trained)


def test_the_model_of_another_run_is_refused(trained, models):
    edit(models[0], run="demo-0123")
    assert f"holds the model of fold sub-01 of demo-0123, not that of fold sub-01 of {trained.run}" in refusal(trained)


def test_a_model_that_has_seen_other_subjects_is_refused(trained, models):
    one, two = models
    shutil.copy(two / CARD, one / CARD)
    shutil.copy(two / WEIGHTS, one / WEIGHTS)
    edit(one, fold="sub-01")
    assert "was trained on subjects 01, 03, 04, and fold sub-01 trains on 02, 03, 04" in refusal(trained)


def test_the_scaling_of_another_fold_is_refused(trained, models):
    one, two = models
    edit(one, normaliser=json.loads((two / CARD).read_text())["normaliser"])
    assert f"scaling is not that of the training recordings of fold sub-01 of {trained.run}" in refusal(trained)


def test_a_scaling_that_another_machine_rounds_otherwise_is_the_same(trained, models):
    normaliser = json.loads((models[0] / CARD).read_text())["normaliser"]
    normaliser["input"]["scale_c"] = [scale * (1 + 1e-6) for scale in normaliser["input"]["scale_c"]]
    edit(models[0], normaliser=normaliser)
    assert list(evaluate_folds(trained.experiment, trained.manifest, trained.run, trained.folds[:1]))


def test_the_weights_of_another_fold_are_refused(trained, models):
    one, two = models
    shutil.copy(two / WEIGHTS, one / WEIGHTS)
    assert f"holds other weights than those that {CARD} of fold sub-01 of {trained.run} was written with" in refusal(trained)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": 5}, "simulation.seed"),
        ({"cohort": "null"}, "simulation.cohort"),
        ({"evoked": True, "anatomy": {"head_size": 0.1}}, "simulation.anatomy.head_size, simulation.evoked"),
    ],
)
def test_a_cohort_made_with_other_settings_is_refused(trained, changes, named):
    experiment = trained.experiment
    simulation = type(experiment.simulation).model_validate(experiment.simulation.model_dump() | changes)
    other = experiment.model_copy(update={"simulation": simulation})
    with pytest.raises(UserError, match=rf"simulation.json: the cohort was made with another {re.escape(named)} than the experiment gives"):
        References(other)
    References(other.model_copy(update={"evaluation": experiment.evaluation.model_copy(update={"ceilings": False})}))


def test_a_cohort_is_known_however_its_place_is_spelled(trained):
    simulation = trained.experiment.simulation
    again = simulation.model_copy(update={"root": f"{simulation.root}/../{Path(simulation.root).name}/"})
    assert References(trained.experiment.model_copy(update={"simulation": again})).bounded


def test_a_cohort_that_does_not_say_how_it_was_made_is_refused(trained):
    where = settings_path(Path(trained.experiment.simulation.root))
    kept = where.read_bytes()
    where.unlink()
    with pytest.raises(UserError, match=r"simulation.json: cannot be read"):
        References(trained.experiment)
    where.write_bytes(kept)
