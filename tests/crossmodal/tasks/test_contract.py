"""Every task has the same parts, and refuses what it has not."""

import pytest

from crossmodal.config import Experiment, UserError
from crossmodal.config.parsing import parse
from crossmodal.models.checking import checked
from crossmodal.tasks.choosing import task_of

SETTINGS = {"name": "tiny", "recordings": {"kind": "bids", "root": "cohort"}}
CORTEX = {"name": "tiny", "cortex": {}, "data": {"target": {"modality": "cortex"}}, "model": {"kind": "source_net"}}


def experiment(settings, **training):
    return checked(parse(Experiment, settings | {"training": training}))


@pytest.mark.parametrize("settings", [SETTINGS, CORTEX])
def test_the_primary_metric_may_choose_the_epoch(settings):
    plain = experiment(settings)
    primary = task_of(plain).scorecard(plain).primary
    assert task_of(plain).epoch_metric(plain) is None
    chosen = experiment(settings, choose_epoch_by=primary)
    assert task_of(chosen).epoch_metric(chosen) is not None


@pytest.mark.parametrize("settings", [SETTINGS, CORTEX])
def test_a_metric_that_a_task_has_not_is_refused_by_name(settings):
    wrong = experiment(settings, choose_epoch_by="ssim")
    with pytest.raises(UserError, match=r"^training\.choose_epoch_by: the task \w+ has no 'ssim'; choose validation_loss or expl"):
        task_of(wrong).epoch_metric(wrong)


def test_bands_have_no_metric_of_signals():
    model = {"kind": "synaptech_net", "target": {"kind": "bands"}}
    wrong = experiment(SETTINGS | {"model": model}, choose_epoch_by="explained_variance")
    with pytest.raises(UserError, match="predicts its bands"):
        task_of(wrong).epoch_metric(wrong)


@pytest.mark.parametrize("settings", [SETTINGS, CORTEX])
def test_a_scorecard_names_each_metric_once_and_its_primary_among_them(settings):
    card = task_of(experiment(settings)).scorecard(experiment(settings))
    names = [metric.name for metric in card.metrics]
    assert len(set(names)) == len(names)
    assert card[card.primary].has_interval
    assert not card.beside or card[card.beside]
    assert {part for metric in card.metrics for part in metric.mean_of} <= set(names)
