"""Train and score an experiment under four ways of dividing its recordings, and show them side by side in one table.

Subjects left out, sessions left out, parts of recordings with a gap between them, and windows shuffled over all recordings, which leaks.
"""

import argparse
import sys
from typing import TYPE_CHECKING

from command import run_job
from several import score_all, train_all

if TYPE_CHECKING:
    from crossmodal.config import Experiment
    from crossmodal.training.plan import Plan


def compare(experiment: "Experiment", arguments: argparse.Namespace) -> None:
    """Train what is missing of each split, score all, and print the table."""
    from crossmodal.training.compared_splits import NO_SESSIONS, comparison_name, plan_compared

    def by_kind() -> "dict[str, Plan]":
        return {plan.experiment.split.kind: plan for plan in plan_compared(experiment)}

    plans = by_kind()
    train_all(plans)
    scored = {kind: of_split.table for kind, of_split in score_all(by_kind(), "jobs/compare_splits.py").items()}
    # Only now, since they bring MLflow, which takes seconds that a mistake need not wait for.
    from rich.console import Console

    from crossmodal.reporting.report import publish_comparison
    from crossmodal.reporting.split_table import SplitTable, splits_to_csv, splits_to_markdown, splits_to_metrics, splits_to_rich
    from crossmodal.tracking.links import way_to_runs
    from crossmodal.tracking.runs import Tracker

    table = SplitTable(scored, () if "leave_one_session_out" in scored else (NO_SESSIONS,))
    with Tracker(experiment.tracking) as tracker:
        texts = {"splits.md": splits_to_markdown(table), "splits.csv": splits_to_csv(table)}
        name = comparison_name(tuple(plans.values()))
        place = publish_comparison(texts, splits_to_metrics(table), {}, next(iter(plans.values())).experiment.store, name, tracker)
    # A log has no width; columns would be cut at 80.
    Console(width=None if sys.stdout.isatty() else 250).print(splits_to_rich(table))
    print(f"table: {place}\nMLflow: {way_to_runs(experiment.tracking.uri, tracker.experiment_id)}")


if __name__ == "__main__":
    run_job(__doc__, compare)
