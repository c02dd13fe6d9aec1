"""What MLflow misses of a search is delivered by that search."""

import pytest

from crossmodal.config import overridden
from crossmodal.tracking.runs import Tracker
from crossmodal.training.runs import finished
from crossmodal.tuning.journal import SweepJournal
from crossmodal.tuning.search import Search
from crossmodal.tuning.stop import Stop
from crossmodal.tuning.study import StudyFile, open_study
from crossmodal.tuning.trial import TrialContext, train_trial
from tests.crossmodal.tuning.conftest import SMALL
from tests.servers import mlflow_server


@pytest.mark.slow
def test_a_trial_that_begins_and_ends_while_mlflow_is_away_is_written_before_the_search_ends(plan, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with mlflow_server(tmp_path / "mlflow") as (server, uri):
        experiment = overridden(plan.experiment, {"tracking.uri": uri, "tracking.spool": str(tmp_path / "spool")})
        context = TrialContext(experiment, plan.manifest, plan.study, plan.split, gpu=False)
        file = StudyFile.of(overridden(experiment, {"store": str(tmp_path / "study")}))
        study = open_study(experiment, plan.manifest, plan.parameters, plan.split, plan.test, file)
        searcher = Search(experiment, study, file, SMALL, Stop(experiment.tuning.stop))
        with Tracker(experiment.tracking) as tracker:
            with SweepJournal(tracker, context, ("score",), plan.test, SMALL.name) as journal:
                for name in ("ends in time", "short"):
                    config = searcher.suggest(name)
                    if name == "short":
                        server.stop()

                    def send(report, config=config, name=name):
                        journal.record(config["number"], config["overrides"], report["news"])
                        searcher.on_trial_complete(name, report) if "score" in report else searcher.on_trial_result(name, report)

                    train_trial(context.experiment_of(**config), context, send)
                    journal.close(study.trials[config["number"]])
                left = searcher.suggest("left")
                journal.record(left["number"], left["overrides"], [])
                server.start()
            journal.settle(study.trials)

            runs = tracker.client.search_runs([tracker.experiment_id], "tags.level = 'trial'", order_by=["attributes.start_time"])
            assert [(run.data.tags["trial"], run.info.status) for run in runs] == [("0", "FINISHED"), ("1", "FINISHED"), ("2", "KILLED")]
            short = study.trials[1]
            assert runs[1].data.metrics["score"] == short.value
            result = finished(experiment.store, short.user_attrs["run"], "cv-01")
            fold = tracker.find(short.user_attrs["run"], "cv-01")
            history = tracker.client.get_metric_history(fold.info.run_id, "loss")
            assert [(metric.step, metric.value) for metric in history] == [(metrics.epoch, metrics.loss) for metrics in result.history]
