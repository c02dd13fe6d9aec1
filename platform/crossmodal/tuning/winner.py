"""What becomes of the best trial: refitted on all development subjects, scored on the test subjects, and registered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import optuna
from optuna.trial import FrozenTrial, TrialState

from crossmodal.config import Experiment, UserError, overridden
from crossmodal.config.data import FixedSplit
from crossmodal.evaluation.openings import record_opening
from crossmodal.evaluation.protocol import PROTOCOL
from crossmodal.evaluation.scores import FoldScores
from crossmodal.models.checking import checked
from crossmodal.reporting.report import Publisher
from crossmodal.reporting.style import render_png
from crossmodal.reporting.table import ScoreTable, to_markdown
from crossmodal.tasks.choosing import task_of
from crossmodal.tasks.evaluate import evaluate_folds
from crossmodal.tracking.models import register_model
from crossmodal.tracking.outage import retry_while_mlflow_away
from crossmodal.tracking.runs import Tracker
from crossmodal.training.experiment import follow
from crossmodal.training.fold import FoldProgress
from crossmodal.training.journal import Journal
from crossmodal.training.plan import Plan, plan_training
from crossmodal.training.ray_trainer import train_folds
from crossmodal.tuning.cost import Cost
from crossmodal.tuning.journal import SweepJournal
from crossmodal.tuning.plan import SweepPlan
from crossmodal.tuning.plots import draw_study
from crossmodal.tuning.study import best_trial

_Rest = ParamSpec("_Rest")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Winner:
    """A trial that is refitted: which one of which study, and what it varied."""

    study: str
    trial: int
    overrides: Mapping[str, Any]

    @classmethod
    def of(cls, study: str, trial: FrozenTrial) -> "Winner":
        """Name a trial of a study."""
        return cls(study, trial.number, trial.user_attrs["overrides"])


@dataclass(frozen=True)
class Outcome:
    """What a search found.

    Attributes
    ----------
    winner : FrozenTrial
        With several objectives, that of the front with the best score.
    development, test : ScoreTable
        The winner beside baselines: cross-validated on the subjects it was chosen on, and on those that no trial saw.
    model : str
        In MLflow's registry, with its version.
    """

    winner: FrozenTrial
    cost: Cost
    development: ScoreTable
    test: ScoreTable
    model: str


def conclude(
    plan: SweepPlan, study: optuna.Study, journal: SweepJournal, tracker: Tracker, show: Callable[[FoldProgress], None]
) -> Outcome:
    """Draw the study, refit the winner, score it on the test subjects and register it; what was done before is kept.

    Each step waits for MLflow and the store where they are away, `training.outage_s` at most.

    Raises
    ------
    UserError
        No trial was finished, and nothing is registered then; or MLflow or the store was away for longer.
    """
    trial, cost = describe_study(plan, study, journal, tracker)
    development = development_scores(plan, trial, journal, tracker)
    winner = Winner.of(plan.study, trial)
    training = refit(plan, winner, journal, tracker, show)
    test = open_test(plan, training, tracker, f"winner of the search '{plan.study}'")
    version = register(plan, winner, training, tracker, plan.study)
    retry_while_mlflow_away(lambda: tracker.end(journal.run_id, "FINISHED"), plan.experiment.training.outage_s)
    chosen, tested = winner_experiment(plan, winner), training.experiment
    return Outcome(trial, cost, _table(chosen, development), _table(tested, test), f"{plan.study} version {version}")


def _patient(step: Callable[Concatenate[SweepPlan, _Rest], _Result]) -> Callable[Concatenate[SweepPlan, _Rest], _Result]:
    """Do a step, which can be repeated, again while MLflow or the store is away."""

    @wraps(step)
    def waiting(plan: SweepPlan, *rest: _Rest.args, **named: _Rest.kwargs) -> _Result:
        return retry_while_mlflow_away(lambda: step(plan, *rest, **named), plan.experiment.training.outage_s)

    return waiting


@_patient
def describe_study(plan: SweepPlan, study: optuna.Study, journal: SweepJournal, tracker: Tracker) -> tuple[FrozenTrial, Cost]:
    """Draw the study and log what it cost; name its winner.

    Raises
    ------
    UserError
        No trial was finished.
    """
    trials = study.get_trials(deepcopy=False)
    cost = Cost.of(trials)
    tracker.log_metrics(journal.run_id, asdict(cost) | _counts(trials))
    winner = best_trial(trials)
    if winner is None:
        raise UserError(_no_winner(plan.study, trials))
    tracker.log_tags(journal.run_id, {"winner": str(winner.number)})
    for plot in draw_study(study, plan.experiment.tuning.objectives):
        tracker.log_png(journal.run_id, render_png(plot.png), plot.name)
        tracker.log_html(journal.run_id, plot.html, plot.name)
    return winner, cost


@_patient
def development_scores(plan: SweepPlan, winner: FrozenTrial, journal: SweepJournal, tracker: Tracker) -> list[FoldScores]:
    """Baselines and ceilings, once a sweep: beside the winner's cross-validation, on its windows."""
    chosen = journal.context.experiment_of(winner.number, winner.user_attrs["overrides"])
    chosen = chosen.model_copy(update={"evaluation": plan.experiment.evaluation})
    run, folds = winner.user_attrs["run"], journal.context.folds
    scores = [fold.scores for fold in evaluate_folds(chosen, plan.manifest, run, folds)]
    table = _table(chosen, scores)
    tracker.client.log_text(journal.run_id, to_markdown(table), "development.md")
    primary = table.scorecard.primary
    rows = {f"development/{row.channel_type}/{row.predictor}/{primary}": row.means[primary] for row in table.rows}
    tracker.log_metrics(journal.run_id, rows)
    return scores


def refit(plan: SweepPlan, winner: Winner, journal: SweepJournal, tracker: Tracker, show: Callable[[FoldProgress], None]) -> Plan:
    """Train the winner on all development subjects, unless that is done."""
    training = retry_while_mlflow_away(lambda: plan_training(winner_experiment(plan, winner)), plan.experiment.training.outage_s)
    train_beside_trials(training, journal, tracker, {"level": "winner", "trial": str(winner.trial)}, show, with_models=True)
    return training


def train_beside_trials(
    training: Plan,
    journal: SweepJournal,
    tracker: Tracker,
    tags: Mapping[str, str],
    show: Callable[[FoldProgress], None],
    with_models: bool = False,
) -> None:
    """Train what is missing of a run that is no trial, and track it below the sweep's."""
    news = train_folds(training.experiment, training.manifest, training.run, training.missing) if training.missing else iter(())
    run, folds, known = training.run, training.folds, {**journal.tags, **tags}
    # Training goes on meanwhile.
    beside = retry_while_mlflow_away(
        lambda: Journal(tracker, training.experiment, training.manifest, run, folds, journal.run_id, known, with_models),
        training.experiment.training.outage_s,
    )
    follow(beside, training, news, show)


@_patient
def open_test(plan: SweepPlan, training: Plan, tracker: Tracker, why: str) -> list[FoldScores]:
    """Score the refitted winner on the locked test subjects; that they were opened is written down before they are."""
    store = training.experiment.store
    record_opening(store, plan.manifest.fingerprint, training.run, why, plan.test)
    task = task_of(training.experiment)
    publisher = Publisher(store, training.run, tracker, task.scorecard(training.experiment).primary)
    scores = []
    for fold in evaluate_folds(training.experiment, training.manifest, training.run, training.folds):
        publisher.publish_fold(fold.scores, task.draw_fold(fold, training.experiment))
        scores.append(fold.scores)
    publisher.publish_run(_table(training.experiment, scores), {})
    return scores


@_patient
def register(plan: SweepPlan, winner: Winner, training: Plan, tracker: Tracker, name: str, tags: Mapping[str, str] | None = None) -> str:
    """Put the refitted winner into MLflow's registry, unless it is there, and return its version."""
    (fold_run,) = (tracker.find(training.run, fold.name) for fold in training.folds)
    assert fold_run, "the journal opened it"
    known = {"sweep": winner.study, "trial": str(winner.trial), "run": training.run, "dataset.fingerprint": plan.manifest.fingerprint}
    known["protocol.version"] = str(PROTOCOL)
    return register_model(tracker, fold_run.data.tags["model.mlflow"], name, known | dict(tags or {}))


def winner_experiment(plan: SweepPlan, winner: Winner) -> Experiment:
    """The experiment that is refitted: the winner's settings on all development subjects, of which the first ones validate."""
    development, n = plan.split.subjects or (), plan.split.validation_subjects
    split = FixedSplit(train=development[n:], validation=development[:n], test=plan.test)
    chosen = checked(overridden(plan.experiment, winner.overrides))
    return chosen.model_copy(update={"name": f"{plan.study}-winner", "split": split})


def _table(experiment: Experiment, scores: Sequence[FoldScores]) -> ScoreTable:
    return ScoreTable.of(experiment, scores, task_of(experiment).scorecard(experiment))


def _counts(trials: list[FrozenTrial]) -> dict[str, float]:
    return {f"trials_{state.name.lower()}": sum(trial.state == state for trial in trials) for state in TrialState}


def _no_winner(study: str, trials: list[FrozenTrial]) -> str:
    failed = [trial for trial in trials if trial.state == TrialState.FAIL]
    cause = next((trial.user_attrs["cause"] for trial in failed if "cause" in trial.user_attrs), "see the log of Ray")
    reason = f"{len(failed)} failed, the first because: {cause}" if failed else "they were all pruned; set tuning.halving=null"
    return f"study '{study}': none of its {len(trials)} trials was finished, so there is no winner to refit ({reason})"
