import pytest

from crossmodal.config import UserError
from crossmodal.config.experiment import Tracking
from crossmodal.tracking.champions import champion_tags, crown, find_champion, find_former
from crossmodal.tracking.runs import Tracker

SCORES = {"mag": {"1": 0.5, "2": 0.25}}
OVERRIDES = {"model.widths": [4, 8], "training.learning_rate": 0.01}


@pytest.fixture(scope="module")
def tracker(tmp_path_factory):
    with Tracker(Tracking(uri=f"sqlite:///{tmp_path_factory.mktemp('registry')}/mlflow.db")) as tracker:
        yield tracker


def register(tracker, name, tags):
    tags = tags | {"trial": "7"}
    if not tracker.client.search_registered_models(f"name = '{name}'"):
        tracker.client.create_registered_model(name)
    return tracker.client.create_model_version(name, "file:///nowhere", tags=tags).version


def test_the_alias_says_who_is_champion(tracker):
    assert find_champion(tracker, "model") is None
    first = register(tracker, "model", champion_tags("run-1", "data", "folds", OVERRIDES, ("3",), SCORES))
    assert find_champion(tracker, "model") is None
    crown(tracker, "model", first, "2026-03-01", "Promoted: it is better.")
    register(tracker, "model", champion_tags("run-2", "data", "folds", {}, ("3",), SCORES))
    champion = find_champion(tracker, "model")
    assert (champion.version, champion.run, champion.scores) == (str(first), "run-1", SCORES)
    assert (champion.overrides, champion.test, champion.trial) == (OVERRIDES, ("3",), 7)
    assert (champion.night, champion.verdict) == ("2026-03-01", "Promoted: it is better.")
    crown(tracker, "model", first, "2026-03-02", "Promoted: once more.")
    assert find_champion(tracker, "model").night == "2026-03-02"


def test_a_champion_tells_whom_it_took_the_title_from(tracker):
    first, second = (register(tracker, "title", champion_tags(run, "data", "folds", {}, ("3",), SCORES)) for run in ("run-1", "run-2"))
    crown(tracker, "title", first, "2026-03-01", "Promoted: it is better.")
    before = find_champion(tracker, "title")
    assert find_former(tracker, "title", before) is None
    crown(tracker, "title", second, "2026-03-02", "Promoted: it is better still.", before)
    after = find_champion(tracker, "title")
    assert find_former(tracker, "title", after) == before
    tracker.client.delete_model_version("title", first)
    assert find_former(tracker, "title", after) is None


def test_scores_of_another_dataset_are_not_compared(tracker):
    crown(tracker, "other", register(tracker, "other", champion_tags("run", "data", "folds", {}, ("3",), SCORES)), "", "")
    champion = find_champion(tracker, "other")
    champion.check_dataset("other", "data")
    champion.check_folds("other", "folds")
    with pytest.raises(UserError, match="was scored on dataset data, and this is more.*remove the alias"):
        champion.check_dataset("other", "more")
    with pytest.raises(UserError, match="other folds"):
        champion.check_folds("other", "others")


def test_a_champion_that_no_night_promoted_is_told(tracker):
    crown(tracker, "foreign", register(tracker, "foreign", {"run": "run"}), "", "")
    with pytest.raises(UserError, match=r"lacks the tag 'dataset\.fingerprint'"):
        find_champion(tracker, "foreign")
