"""The object store goes away in the middle of a search, and comes back."""

import threading
from dataclasses import replace

import pytest
from optuna.trial import TrialState

from crossmodal.config import UserError, overridden
from crossmodal.storage.uri import read_bytes
from crossmodal.tracking.runs import Tracker
from crossmodal.tuning.plan import plan_sweep
from crossmodal.tuning.search import Search
from crossmodal.tuning.stop import Stop
from crossmodal.tuning.study import StudyFile, open_study
from crossmodal.tuning.sweep import search
from crossmodal.tuning.trial import TrialContext, train_trial
from tests.crossmodal.training.cohort import publish_cohort, small_experiment
from tests.crossmodal.tuning.conftest import SMALL
from tests.servers import Server, lead_to_s3, s3_server

OUTAGE_S = 4.0
CHANGES = {"evaluation.baselines": [{"kind": "ridge"}], "tuning.folds": 2, "tuning.space": SMALL.name}


@pytest.fixture
def server(tmp_path, monkeypatch):
    with s3_server(tmp_path / "s3") as (server, variables):
        lead_to_s3(variables, monkeypatch)
        yield server


@pytest.fixture
def remote(server, tmp_path):
    """A plan whose store is on the server."""
    experiment = small_experiment(tmp_path, "s3://bucket/store", epochs=2)
    publish_cohort(experiment)
    return plan_sweep(overridden(experiment, CHANGES), SMALL)


def test_a_study_that_cannot_be_copied_now_is_copied_with_the_next_change(server: Server, remote):
    file = StudyFile.of(remote.experiment)
    study = open_study(remote.experiment, remote.manifest, remote.parameters, remote.split, remote.test, file)
    searcher = Search(remote.experiment, study, file, SMALL, Stop(remote.experiment.tuning.stop))
    searcher.suggest("a")
    server.stop()
    searcher.on_trial_complete("a", {"epoch": 9, "score": 0.7})
    searcher.suggest("b")
    server.start()
    searcher.on_trial_complete("b", {"epoch": 9, "score": 0.8})
    assert file.local
    with open(file.local, "rb") as local:
        assert read_bytes(file.remote) == local.read()
    assert [trial.value for trial in study.trials] == [0.7, 0.8]


def train_and_train_again(remote, outage_s, before_scores):
    """What a trial reports last, and what it reports when it is run again and something happens before its scores."""
    context = TrialContext(remote.experiment, remote.manifest, remote.study, remote.split, gpu=False)
    experiment = overridden(context.experiment_of(0, {}), {"training.outage_s": outage_s})
    trained, reports = [], []
    train_trial(experiment, context, trained.append)

    def send(report):
        reports.append(report)
        if report.get("epoch") == remote.epochs:
            before_scores()

    train_trial(experiment, context, send)
    return trained[-1], reports[-1]


def test_a_trial_waits_with_its_scores_for_the_store(server: Server, remote):
    back = threading.Timer(OUTAGE_S, server.start)

    def leave():
        server.stop()
        back.start()

    undisturbed, disturbed = train_and_train_again(remote, 60, leave)
    back.join()
    assert disturbed["score"] == undisturbed["score"]


def test_a_trial_is_at_no_fault_when_the_store_stays_away(server: Server, remote):
    _, last = train_and_train_again(remote, 1, server.stop)
    assert "the store cannot be reached" in last["unavailable"]
    assert "cause" not in last


@pytest.mark.slow
def test_a_search_outlives_a_store_that_is_away_and_goes_on_when_it_stayed_away(server: Server, remote, local_ray):
    def searched(trials, outage_s, after_trial):
        settings = {"tuning.stop.trials": trials, "training.outage_s": outage_s, "tuning.halving": None}
        with Tracker(remote.experiment.tracking) as tracker:
            return search(replace(remote, experiment=overridden(remote.experiment, settings)), tracker, after_trial)[0]

    def leave(trial):
        if trial.number == 0:
            server.stop()
            threading.Timer(OUTAGE_S, server.start).start()

    trials = searched(2, 60, leave).trials
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 2

    with pytest.raises(UserError, match="the store cannot be reached"):
        searched(4, 1, lambda trial: server.stop())
    server.start()
    trials = searched(4, 1, lambda trial: None).trials
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 4
