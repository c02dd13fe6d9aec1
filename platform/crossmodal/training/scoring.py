"""Score a trained run: table, figures and metrics, in the store and in MLflow."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from crossmodal.evaluation.regions import RegionScores, together
from crossmodal.evaluation.scores import FoldEvaluation, FoldScores
from crossmodal.reporting.loss import Losses
from crossmodal.reporting.regions import depth_sentence, draw_depth, regions_to_csv
from crossmodal.reporting.report import Publisher, draw_run
from crossmodal.reporting.table import ScoreTable
from crossmodal.tasks.choosing import task_of
from crossmodal.tasks.evaluate import evaluate_folds
from crossmodal.tracking.runs import Tracker
from crossmodal.training.plan import Plan

Follow = Callable[[Iterator[FoldEvaluation]], Iterable[FoldEvaluation]]


@dataclass(frozen=True)
class ScoredRun:
    """A run that is scored and published.

    Attributes
    ----------
    figures : str
        Where they lie.
    """

    table: ScoreTable
    figures: str
    folds: tuple[FoldScores, ...]


def score_run(plan: Plan, tracker: Tracker, note: str = "", follow: Follow = iter) -> ScoredRun:
    """Score all folds of a run beside baselines and ceilings, and publish what comes out.

    Parameters
    ----------
    plan : Plan
        All of its folds are trained.
    note : str
        Printed with the experiment's own.
    follow : callable
        Hands the folds on as they are scored, and may show how far that is.

    Raises
    ------
    UserError
        As `evaluate_folds` does.
    """
    experiment, task = plan.experiment, task_of(plan.experiment)
    scorecard = task.scorecard(experiment)
    publisher = Publisher(experiment.store, plan.run, tracker, scorecard.primary)
    scores: list[FoldScores] = []
    regions: list[RegionScores] = []
    for fold in follow(evaluate_folds(experiment, plan.manifest, plan.run, plan.folds)):
        publisher.publish_fold(fold.scores, task.draw_fold(fold, experiment))
        scores.append(fold.scores)
        regions += filter(None, [task.region_scores(fold, experiment)])
    table = ScoreTable.of(experiment, scores, scorecard)
    losses = {
        name: Losses([epoch.loss for epoch in result.history], [epoch.validation_loss for epoch in result.history])
        for name, result in plan.finished.items()
    }
    figures, depth, regions_csv = draw_run(scores, losses, scorecard), "", ""
    if regions:
        of_all, confidence = together(regions), experiment.evaluation.confidence
        depth, regions_csv = depth_sentence(of_all, scorecard, confidence), regions_to_csv(of_all, scorecard, confidence)
        figures |= {"distance_from_scalp": draw_depth(of_all, scorecard, confidence)} if depth else {}
    table = replace(table, note=" ".join(filter(None, [table.note, note, depth])))
    publisher.publish_run(table, figures, regions_csv)
    return ScoredRun(table, publisher.figures_uri, tuple(scores))
