"""MLflow and the object store go away after the last trial of a search, and come back."""

from dataclasses import replace

import pytest

from crossmodal.config import UserError, overridden
from crossmodal.tracking.runs import Tracker
from crossmodal.training.fold import train_fold
from crossmodal.training.plan import plan_training
from crossmodal.training.world import World
from crossmodal.tuning.journal import SweepJournal
from crossmodal.tuning.plan import plan_sweep
from crossmodal.tuning.search import Search
from crossmodal.tuning.stop import Stop
from crossmodal.tuning.study import StudyFile, open_study
from crossmodal.tuning.trial import TrialContext, train_trial
from crossmodal.tuning.winner import Winner, conclude, describe_study, development_scores, open_test, refit, register, winner_experiment
from tests.crossmodal.training.cohort import publish_cohort, small_experiment
from tests.crossmodal.tuning.conftest import SMALL
from tests.servers import lead_to_s3, mlflow_server, s3_server, without

OUTAGE_S = 4.0


@pytest.fixture
def servers(tmp_path, monkeypatch):
    """An S3 server, an MLflow server, and the latter's address."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with s3_server(tmp_path / "s3") as (store, variables), mlflow_server(tmp_path / "mlflow") as (mlflow, uri):
        lead_to_s3(variables, monkeypatch)
        yield store, mlflow, uri


def searched(root, uri):
    """A search after its only trial, whose winner is refitted already: both trained here, without Ray."""
    settings = {"tracking.uri": uri, "evaluation.baselines": [{"kind": "ridge"}], "tuning.folds": 2, "tuning.space": SMALL.name}
    experiment = overridden(small_experiment(root, "s3://bucket/store", epochs=1, outage_s=60), settings)
    publish_cohort(experiment)
    plan = plan_sweep(experiment, SMALL)
    context = TrialContext(experiment, plan.manifest, plan.study, plan.split, gpu=False)
    file = StudyFile.of(experiment)
    study = open_study(experiment, plan.manifest, plan.parameters, plan.split, plan.test, file)
    searcher, reports = Search(experiment, study, file, SMALL, Stop(experiment.tuning.stop)), []
    train_trial(context.experiment_of(**searcher.suggest("only")), context, reports.append)
    searcher.on_trial_complete("only", reports[-1])
    training = plan_training(winner_experiment(plan, Winner.of(plan.study, study.trials[0])))
    train_fold(training.experiment, training.manifest, training.run, training.folds[0], World(), lambda progress: None)
    return plan, context, study


@pytest.mark.slow
def test_each_step_after_the_last_trial_waits_for_mlflow_and_the_store(servers, tmp_path):
    store, mlflow, uri = servers
    plan, context, study = searched(tmp_path, uri)

    with Tracker(plan.experiment.tracking) as tracker:
        with SweepJournal(tracker, context, ("score",), plan.test, SMALL.name) as journal:
            journal.catch_up(study.trials)
        with without(mlflow, OUTAGE_S):
            winner, _ = describe_study(plan, study, journal, tracker)
        with without(store, OUTAGE_S):
            development = development_scores(plan, winner, journal, tracker)
        with without(store, OUTAGE_S), without(mlflow, OUTAGE_S):
            training = refit(plan, Winner.of(plan.study, winner), journal, tracker, lambda progress: None)
        with without(store, OUTAGE_S):
            test = open_test(plan, training, tracker, "winner")
        with without(mlflow, OUTAGE_S):
            assert register(plan, Winner.of(plan.study, winner), training, tracker, plan.study) == "1"
        outcome = conclude(plan, study, journal, tracker, lambda progress: None)
        assert (outcome.winner.number, outcome.model) == (0, "small version 1")
        assert {score.subject for fold in development for score in fold.scores} == set(plan.split.subjects)
        assert {score.subject for fold in test for score in fold.scores} == set(plan.test)
        assert tracker.client.get_run(journal.run_id).info.status == "FINISHED"

        mlflow.stop()
        hasty = overridden(plan.experiment, {"training.outage_s": 1})
        with pytest.raises(UserError, match=r"tracking: the server is away .*; run the same command again when it answers"):
            describe_study(replace(plan, experiment=hasty), study, journal, tracker)
