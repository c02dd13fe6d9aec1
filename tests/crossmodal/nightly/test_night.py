"""What a night is about to do, before anything is spent."""

from datetime import datetime

import pytest

from crossmodal.config import UserError, overridden
from crossmodal.evaluation.protocol import PROTOCOL
from crossmodal.nightly.morning import Dataset, digest_of
from crossmodal.nightly.night import plan_night, run_night
from crossmodal.nightly.record import NightRecord, nights_uri, write_record
from crossmodal.nightly.title import Look, read_title, write_title
from crossmodal.tracking.champions import champion_tags, crown
from crossmodal.tracking.runs import Tracker
from crossmodal.tuning.space import Space
from crossmodal.tuning.subjects import divide
from tests.crossmodal.training.cohort import publish_cohort, small_experiment
from tests.crossmodal.tuning import small_space
from tests.servers import mlflow_server, without

DATE, NEXT_DATE = "2026-03-02", "2026-03-03"
SLOW = {"training.learning_rate": 1e-7}
SMALL = Space("tests.crossmodal.tuning.small_space", small_space.suggest, (small_space.FIRST,))


@pytest.fixture(scope="module")
def tracker(tmp_path_factory):
    with Tracker(small_experiment(tmp_path_factory.mktemp("registry")).tracking) as tracker:
        yield tracker


@pytest.fixture
def experiment(tmp_path):
    """Of a store and a name of its own."""
    return overridden(small_experiment(tmp_path), {"name": tmp_path.name})


def crowned(tracker, plan, night="2026-03-01", protocol=PROTOCOL):
    """A champion of what a plan would search, far worse than nothing: it learns too slowly."""
    if not tracker.client.search_registered_models(f"name = '{plan.model}'"):
        tracker.client.create_registered_model(plan.model)
    scores = {"mag": dict.fromkeys(plan.sweep.split.subjects, -1.0)}
    tags = champion_tags("run", plan.sweep.manifest.fingerprint, plan.folds, SLOW, plan.sweep.test, scores)
    tags |= {"trial": "0", "protocol.version": str(protocol)}
    version = tracker.client.create_model_version(plan.model, "s3://nowhere/model", tags=tags).version
    crown(tracker, plan.model, version, night, "Promoted: it is better.", plan.champion)


def test_the_champion_s_test_subjects_stay_locked_when_subjects_join(experiment, tracker):
    publish_cohort(experiment, 16, duration_s=2)
    first = plan_night(experiment, SMALL, tracker, DATE)
    crowned(tracker, first)
    write_title(experiment.store, first.model, first.title)
    again = plan_night(experiment, SMALL, tracker, DATE)
    assert (again.sweep.study, again.sweep.test, again.defends) == (first.sweep.study, first.sweep.test, False)

    grown = publish_cohort(experiment, 17, duration_s=2)
    assert set(divide(experiment, grown.subjects)[1]) != set(first.sweep.test), "drawn anew it would be another quarter"
    joined = plan_night(experiment, SMALL, tracker, DATE)
    assert (joined.sweep.test, joined.defends) == (first.sweep.test, True)
    assert joined.title.kept == first.title.kept
    assert set(joined.sweep.split.subjects) == set(grown.subjects) - set(first.sweep.test) - set(first.title.kept)


def test_subjects_are_kept_apart_from_the_search_and_study_and_folds_know_it(experiment, tracker):
    publish_cohort(experiment, 16, duration_s=2)
    plan = plan_night(experiment, SMALL, tracker, DATE)
    assert (len(plan.sweep.test), len(plan.title.kept), len(plan.sweep.split.subjects)) == (4, 7, 5)
    assert not {*plan.title.kept, *plan.sweep.test} & set(plan.sweep.split.subjects)
    assert set(plan.title.searched) == set(plan.sweep.split.subjects)
    assert plan.sweep.study.endswith(f"-v{PROTOCOL}")
    assert "Look 1 at the title, on 7 unseen subjects" in plan.foresight
    named = plan_night(overridden(experiment, {"nightly.confirmation_subjects": list(plan.sweep.split.subjects)}), SMALL, tracker, DATE)
    assert named.title.kept == plan.sweep.split.subjects


def test_a_champion_of_an_older_protocol_is_scored_anew(experiment, tracker):
    publish_cohort(experiment, 8, duration_s=2)
    crowned(tracker, plan_night(experiment, SMALL, tracker, DATE), protocol=1)
    plan = plan_night(experiment, SMALL, tracker, DATE)
    assert (plan.champion.protocol, plan.defends) == (1, True)


def test_another_champion_begins_another_count_of_looks(experiment, tracker):
    publish_cohort(experiment, 8, duration_s=2)
    crowned(tracker, plan_night(experiment, SMALL, tracker, DATE))
    plan = plan_night(experiment, SMALL, tracker, DATE)
    look = Look(night="2026-03-01", overrides={}, foreseen="", differences={"1": 0.1}, p=0.5, level=0.03, promoted=False, protocol=PROTOCOL)
    write_title(experiment.store, plan.model, plan.title.model_copy(update={"looks": (look,)}))
    assert plan_night(experiment, SMALL, tracker, DATE).title.looks == (look,)
    crowned(tracker, plan)
    assert plan_night(experiment, SMALL, tracker, DATE).title.looks == ()


@pytest.mark.slow
def test_a_champion_is_waited_for_while_mlflow_is_away(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with mlflow_server(tmp_path / "mlflow") as (mlflow, uri):
        experiment = overridden(small_experiment(tmp_path, outage_s=60), {"tracking.uri": uri})
        publish_cohort(experiment, 8, duration_s=2)
        with Tracker(experiment.tracking) as tracker:
            crowned(tracker, plan_night(experiment, SMALL, tracker, DATE))
            mlflow.stop()
            with pytest.raises(UserError, match="tracking: the server is away"):
                plan_night(overridden(experiment, {"training.outage_s": 1}), SMALL, tracker, DATE)
            with without(mlflow, 4.0):
                assert plan_night(experiment, SMALL, tracker, DATE).champion.version == "1"


def test_test_subjects_that_are_named_are_held_against_the_champion_s(experiment, tracker):
    publish_cohort(experiment, 8, duration_s=2)
    crowned(tracker, plan_night(overridden(experiment, {"tuning.test_subjects": ["1", "2"]}), SMALL, tracker, DATE))
    publish_cohort(experiment, 9, duration_s=2)
    more = plan_night(overridden(experiment, {"tuning.test_subjects": ["1", "2", "9"]}), SMALL, tracker, DATE)
    assert (more.sweep.test, more.defends) == (("1", "2", "9"), True)
    with pytest.raises(UserError, match="subject '2', locked until now"):
        plan_night(overridden(experiment, {"tuning.test_subjects": ["1", "9"]}), SMALL, tracker, DATE)


def test_a_night_that_has_promoted_already_meets_whom_it_met(experiment, tracker):
    publish_cohort(experiment, 8, duration_s=2)
    first = plan_night(experiment, SMALL, tracker, DATE)
    crowned(tracker, first, DATE)
    again = plan_night(experiment, SMALL, tracker, DATE)
    assert (first.champion, first.crowned) == (again.champion, None) == (None, None)
    assert (again.crowned.night, again.sweep.test) == (DATE, first.sweep.test)

    publish_cohort(experiment, 9, duration_s=2)
    later = plan_night(experiment, SMALL, tracker, NEXT_DATE)
    assert (later.champion, later.crowned, later.defends) == (again.crowned, None, True)
    crowned(tracker, later, NEXT_DATE)
    again = plan_night(experiment, SMALL, tracker, NEXT_DATE)
    assert (again.champion, again.crowned.night, again.defends) == (later.champion, NEXT_DATE, True)


@pytest.mark.slow
def test_a_night_that_goes_on_after_its_promotion_tells_what_it_would_have_told(experiment, tracker, local_ray):
    settings = {"evaluation.baselines": [{"kind": "ridge"}], "training.epochs": 4, "tuning.folds": 2, "tuning.stop.trials": 1}
    experiment = overridden(experiment, settings)
    publish_cohort(experiment, 13)
    crowned(tracker, plan_night(experiment, SMALL, tracker, "2026-03-01"))
    nights = nights_uri(experiment.store, experiment.name)
    record = NightRecord(date=DATE, began=datetime.now().isoformat(timespec="seconds"), budget_s=3600)
    write_record(nights, record)
    digests = []
    for _ in range(2):
        plan = plan_night(experiment, SMALL, tracker, DATE)
        night = run_night(plan, nights, record, tracker, lambda trial: None, lambda progress: None)
        digest = digest_of(experiment, record, None, Dataset(0, 13, ()), night)
        digests.append(digest.model_copy(update={"finished": "", "cost": {}}))
        (look,) = read_title(experiment.store, plan.model).looks
        assert (look.night, set(look.differences)) == (DATE, set(plan.title.kept))
    assert digests[0].state == "promoted", digests[0].verdict
    assert "against the champion, version 1, on 6 subjects that its search has not seen" in digests[0].verdict
    ((_, standings),) = digests[0].leaderboards.items()
    assert [standing.mean for standing in standings if standing.role == "champion"] == [-1.0]
    assert digests[1] == digests[0]
    after = plan_night(experiment, SMALL, tracker, NEXT_DATE)
    assert (after.champion.version, after.title.looks, after.title.kept) == ("2", (), night.title.kept)
