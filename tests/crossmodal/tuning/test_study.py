"""D3, D6 and what is found again of a killed search, without Ray."""

from types import SimpleNamespace

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from crossmodal.config import UserError, overridden
from crossmodal.evaluation.protocol import PROTOCOL
from crossmodal.tuning.halving import HalvingScheduler
from crossmodal.tuning.locks import locks
from crossmodal.tuning.search import Search, enqueue_first
from crossmodal.tuning.stop import Stop
from crossmodal.tuning.study import StudyFile, how_it_ended, open_study
from tests.crossmodal.tuning.conftest import SMALL


@pytest.fixture
def at(plan, tmp_path):
    """Open the study of a plan, changed as asked, in a file of the test's own."""

    def opened(place=tmp_path, dataset=None, parameters=plan.parameters, **tuning):
        experiment = overridden(plan.experiment, {f"tuning.{key}": value for key, value in tuning.items()})
        experiment = experiment.model_copy(update={"store": str(place)})
        file = StudyFile.of(experiment)
        manifest = plan.manifest if dataset is None else plan.manifest.model_copy(update={"preprocessing": dataset})
        study = open_study(experiment, manifest, parameters, plan.split, plan.test, file)
        return experiment, study, file

    return opened


def search(opened) -> Search:
    experiment, study, file = opened
    enqueue_first(study, SMALL)
    return Search(experiment, study, file, SMALL, Stop(experiment.tuning.stop))


def test_the_test_subjects_are_written_down(at, plan):
    experiment, study, _ = at()
    subjects = study.user_attrs["crossmodal"]["subjects"]
    assert subjects["test"] == list(plan.test)
    assert not set(subjects["test"]) & set(subjects["development"])
    assert [(lock.study, lock.subjects) for lock in locks(experiment.store, plan.manifest)] == [("small", plan.test)]


def test_a_name_taken_by_another_dataset_objective_or_space_is_refused(at, plan):
    at(study="mine")
    with pytest.raises(UserError, match=r"'mine' in .* is a search of another dataset; choose another name"):
        at(study="mine", dataset="other")
    with pytest.raises(UserError, match=r"'mine' in .* is a search with other objectives"):
        at(study="mine", objectives=["score", "parameters"])
    with pytest.raises(UserError, match=r"'mine' in .* is a search over another search space"):
        at(study="mine", parameters=plan.parameters | {"width": '{"choices": [2]}'})
    at(study="mine", **{"stop.trials": 3})  # when it stops is no part of what a search is


def test_a_study_that_an_older_protocol_scored_is_not_gone_on_with(at):
    _, study, _ = at(study="old")
    identity = study.user_attrs["crossmodal"]
    assert identity["protocol"] == PROTOCOL
    study.set_user_attr("crossmodal", {key: value for key, value in identity.items() if key != "protocol"})
    with pytest.raises(UserError, match=r"'old' in .* is a search scored under another version of the protocol; choose another name"):
        at(study="old")


def test_a_study_of_another_program_is_refused(at, tmp_path):
    _, _, file = at()
    foreign = optuna.create_study(study_name="foreign", storage=file.url, direction="maximize")
    foreign.add_trial(create_trial(value=1.0))
    (tmp_path / "sweeps" / "foreign").mkdir(parents=True)
    (tmp_path / "sweeps" / "foreign" / "study.db").write_bytes((tmp_path / "sweeps" / "small" / "study.db").read_bytes())
    with pytest.raises(UserError, match="is a study of another program"):
        at(study="foreign")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://me:secret-never-told@host/optuna", "leave it out and set PGPASSWORD"),
        ("postgresql://me@host/optuna?password=secret-never-told", "leave it out and set PGPASSWORD"),
        ("mysql://me@host/optuna", "'mysql://' is not supported"),
        ("postgresql://me@127.0.0.1:9/optuna", r"tuning\.storage: .* cannot be used; check the address, the user and PGPASSWORD"),
        ("postgresql+pg8000://me@host/optuna", r"the driver of postgresql\+pg8000 is not installed; pip install '\.\[postgresql\]'"),
    ],
)
def test_a_storage_that_cannot_be_used_is_told_without_the_password(at, url, sentence):
    with pytest.raises(UserError, match=sentence) as refused:
        at(storage=url)
    assert "secret-never-told" not in str(refused.value)


def test_a_database_that_refuses_the_password_is_told_without_it(at, postgresql, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "wrong-never-told")
    with pytest.raises(UserError, match=r"tuning\.storage: .* cannot be used; .*password authentication failed") as refused:
        at(storage=postgresql)
    assert "never-told" not in str(refused.value)


def test_the_first_trial_is_the_space_s_and_the_last_one_ends_the_search(at):
    searcher = search(at(**{"stop.trials": 2}))
    first = searcher.suggest("a")
    assert first == {"number": 0, "overrides": {"training.learning_rate": 0.01, "model.widths": [4, 8]}}
    assert searcher.suggest("b")["number"] == 1
    assert searcher.suggest("c") == "FINISHED"


def test_trials_end_as_what_they_were(at):
    opened = at()
    searcher = search(opened)
    for name in "abcd":
        searcher.suggest(name)
    searcher.on_trial_result("a", {"epoch": 1, "validation_loss": 0.5})
    searcher.on_trial_complete("a", {"epoch": 9, "score": 0.7, "core_hours": 2.0})
    searcher.on_trial_complete("b", {"epoch": 1, "validation_loss": 0.9})
    searcher.on_trial_complete("c", {"cause": "does not fit"})
    searcher.on_trial_result("d", {"epoch": 1, "validation_loss": 0.5, "core_hours": 3.0, "run": "small-0003"})
    searcher.on_trial_complete("d", error=True)
    states = [trial.state for trial in opened[1].trials]
    assert states == [TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL, TrialState.FAIL]
    assert opened[1].best_trial.number == 0
    assert opened[1].trials[0].user_attrs["core_hours"] == 2.0
    assert opened[1].trials[1].intermediate_values == {1: -0.9}
    assert opened[1].trials[2].user_attrs["cause"] == "does not fit"
    assert {name: opened[1].trials[3].user_attrs[name] for name in ("core_hours", "run")} == {"core_hours": 3.0, "run": "small-0003"}


def test_what_a_killed_search_began_goes_on_first_and_is_the_same_trial(at):
    killed = search(at())
    before = [killed.suggest("a"), killed.suggest("b")]
    killed.on_trial_result("a", {"epoch": 1, "validation_loss": 0.5})
    opened = at(**{"stop.trials": 2})
    searcher = search(opened)
    assert [searcher.suggest("c"), searcher.suggest("d")] == before
    searcher.on_trial_result("c", {"epoch": 1, "validation_loss": 0.5})
    searcher.on_trial_complete("c", {"epoch": 9, "score": 0.7})
    searcher.on_trial_complete("d", {"epoch": 9, "score": 0.8})
    assert searcher.suggest("e") == "FINISHED"
    assert [trial.state for trial in opened[1].trials] == [TrialState.COMPLETE] * 2


def test_halving_goes_on_where_it_stood(at, plan):
    searcher = search(at())
    for name, loss in zip("abc", (0.1, 0.2, 0.3), strict=True):
        searcher.suggest(name)
        searcher.on_trial_complete(name, {"epoch": 1, "validation_loss": loss})
    ended = searcher._study.trials
    scheduler = HalvingScheduler(plan.experiment.tuning.halving, plan.epochs, ended)
    (recorded,) = (rung for milestone, rung in scheduler._bracket({})._rungs if milestone == 1)
    assert sorted(recorded.values()) == [-0.3, -0.2, -0.1]


def test_halving_compares_no_model_with_another(at, plan):
    """Losses of two models may be of two kinds, so that the greater one is not the worse."""
    scheduler = HalvingScheduler(plan.experiment.tuning.halving, plan.epochs, [])

    def goes_on(name, kind, loss):
        trial = SimpleNamespace(trial_id=name, config={"overrides": {"model": {"kind": kind}}})
        scheduler.on_trial_add(None, trial)
        return scheduler.on_trial_result(None, trial, {"epoch": 1, "validation_loss": loss}) == "CONTINUE"

    assert goes_on("a", "calhas", 0.1)
    assert goes_on("b", "bricman_fc", 5.0)
    assert not goes_on("c", "calhas", 0.2)
    assert not goes_on("d", "bricman_fc", 6.0)


def test_a_trial_tells_its_values_or_why_it_has_none():
    finished = create_trial(values=[0.25, 1200.0], state=TrialState.COMPLETE)
    pruned = create_trial(state=TrialState.PRUNED, intermediate_values={1: 0.5})
    failed = create_trial(state=TrialState.FAIL, user_attrs={"cause": "no room"})
    assert how_it_ended(finished, ("score", "parameters")) == "score 0.25, parameters 1200"
    assert how_it_ended(pruned, ("score",)) == "pruned"
    assert how_it_ended(failed, ("score",)) == "no room"
