import pytest

from crossmodal.config import Experiment, overridden
from crossmodal.tuning.plan import SweepPlan, plan_sweep
from crossmodal.tuning.space import Space
from tests.crossmodal.training.cohort import publish_cohort, small_experiment
from tests.crossmodal.tuning import small_space

SMALL = Space("tests.crossmodal.tuning.small_space", small_space.suggest, (small_space.FIRST,))


@pytest.fixture(scope="session")
def cohort(tmp_path_factory) -> Experiment:
    """Five published subjects, for networks that train in a second; the test changes nothing there."""
    experiment = small_experiment(tmp_path_factory.mktemp("tuning"), epochs=2)
    publish_cohort(experiment)
    return overridden(experiment, {"evaluation.baselines": [{"kind": "ridge"}], "tuning.folds": 2, "tuning.space": SMALL.name})


@pytest.fixture
def plan(cohort) -> SweepPlan:
    return plan_sweep(cohort, SMALL)
