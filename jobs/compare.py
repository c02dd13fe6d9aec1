"""Train and score variants of an experiment, and show them in one table; what is trained already is kept, what was interrupted goes on."""

import argparse
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from command import checked, run_action
from several import score_all, train_all

if TYPE_CHECKING:
    from crossmodal.training.compared_variants import ComparisonPlan
    from crossmodal.training.scoring import ScoredRun


def compare(arguments: argparse.Namespace) -> None:
    """Train what is missing of each variant, score all, and print the table."""
    from crossmodal.config.comparison import load_comparison
    from crossmodal.training.compared_variants import plan_comparison

    comparison, experiments = load_comparison(arguments.comparison, arguments.overrides, checked)
    plan = plan_comparison(comparison, experiments)
    train_all(plan.plans)
    _show(plan, score_all(plan_comparison(comparison, experiments).plans, "jobs/compare.py"))


def _show(plan: "ComparisonPlan", scored: "dict[str, ScoredRun]") -> None:
    """Put all into one table, print and publish it."""
    from rich.console import Console

    from crossmodal.evaluation.side_by_side import side_by_side
    from crossmodal.reporting.report import publish_comparison, row_metrics
    from crossmodal.reporting.table import ScoreTable, to_csv, to_markdown, to_rich
    from crossmodal.reporting.variants import declared_comparison, draw_variants
    from crossmodal.tracking.links import way_to_runs
    from crossmodal.tracking.runs import Tracker

    comparison, experiment = plan.comparison, plan.first.experiment
    card, confidence = scored[next(iter(scored))].table.scorecard, experiment.evaluation.confidence
    named = experiment.model_copy(update={"name": comparison.name, "note": comparison.note or experiment.note})
    folds = side_by_side({label: of_variant.folds for label, of_variant in scored.items()}, card.yardsticks)
    table = ScoreTable.of(named, folds, card)
    # The alarm of a variant stands on its own ceilings.
    told = [f"Variant {label}: {leak}" for label, of_variant in scored.items() for leak in of_variant.table.leaks()]
    if comparison.primary is not None:
        of_primary = scored[comparison.primary].folds
        told.append(declared_comparison(of_primary, comparison.primary, card, confidence, experiment.seed))
    table = replace(table, note=" ".join(filter(None, [table.note, *told])))
    texts = {"table.md": to_markdown(table), "scores.csv": to_csv(table)}
    with Tracker(experiment.tracking) as tracker:
        figures = {"variants": draw_variants(table)}
        place = publish_comparison(texts, row_metrics(table), figures, experiment.store, plan.run, tracker)
    # A log has no width; columns would be cut at 80.
    Console(width=None if sys.stdout.isatty() else 250).print(to_rich(table))
    print(f"table and figure: {place}\nMLflow: {way_to_runs(experiment.tracking.uri, tracker.experiment_id)}")


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("comparison", metavar="COMPARISON.yaml")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="override a setting of every variant, as training.epochs=3")


if __name__ == "__main__":
    run_action(__doc__, compare, _options)
