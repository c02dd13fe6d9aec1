"""What a night is about to do, before anything is spent."""

import pytest

from crossmodal.config import UserError, overridden
from crossmodal.nightly.night import plan_night
from crossmodal.tracking.champions import champion_tags, crown
from crossmodal.tracking.runs import Tracker
from crossmodal.tuning.space import Space
from crossmodal.tuning.subjects import divide
from tests.crossmodal.training.cohort import publish_cohort, small_experiment
from tests.crossmodal.tuning import small_space

SMALL = Space("tests.crossmodal.tuning.small_space", small_space.suggest, small_space.FIRST)


@pytest.fixture(scope="module")
def tracker(tmp_path_factory):
    with Tracker(small_experiment(tmp_path_factory.mktemp("registry")).tracking) as tracker:
        yield tracker


@pytest.fixture
def experiment(tmp_path):
    """Of a store and a name of its own."""
    return overridden(small_experiment(tmp_path), {"name": tmp_path.name})


def crowned(tracker, plan):
    """A champion of what a plan would search."""
    tracker.client.create_registered_model(plan.model)
    tags = champion_tags("run", plan.sweep.manifest.fingerprint, plan.folds, {}, plan.sweep.test, {"mag": {}}) | {"trial": "0"}
    version = tracker.client.create_model_version(plan.model, "file:///nowhere", tags=tags).version
    crown(tracker, plan.model, version, "2026-03-01", "Promoted: it is better.")


def test_the_champion_s_test_subjects_stay_locked_when_subjects_join(experiment, tracker):
    publish_cohort(experiment, 16, duration_s=2)
    first = plan_night(experiment, SMALL, tracker)
    crowned(tracker, first)
    again = plan_night(experiment, SMALL, tracker)
    assert (again.sweep.study, again.sweep.test, again.defends) == (first.sweep.study, first.sweep.test, False)

    grown = publish_cohort(experiment, 17, duration_s=2)
    assert set(divide(experiment, grown.subjects)[1]) != set(first.sweep.test), "drawn anew it would be another quarter"
    joined = plan_night(experiment, SMALL, tracker)
    assert (joined.sweep.test, joined.defends) == (first.sweep.test, True)
    assert set(joined.sweep.split.subjects) == set(grown.subjects) - set(first.sweep.test)


def test_test_subjects_that_are_named_are_held_against_the_champion_s(experiment, tracker):
    publish_cohort(experiment, 8, duration_s=2)
    crowned(tracker, plan_night(overridden(experiment, {"tuning.test_subjects": ["1", "2"]}), SMALL, tracker))
    publish_cohort(experiment, 9, duration_s=2)
    more = plan_night(overridden(experiment, {"tuning.test_subjects": ["1", "2", "9"]}), SMALL, tracker)
    assert (more.sweep.test, more.defends) == (("1", "2", "9"), True)
    with pytest.raises(UserError, match="subject '2', locked until now"):
        plan_night(overridden(experiment, {"tuning.test_subjects": ["1", "9"]}), SMALL, tracker)
