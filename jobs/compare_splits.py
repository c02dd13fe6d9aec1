"""Train and score an experiment under four ways of dividing its recordings, and show them side by side in one table.

Subjects left out, sessions left out, parts of recordings with a gap between them, and windows shuffled over all recordings, which leaks.
"""

import argparse
import sys
from typing import TYPE_CHECKING

from cluster import start_ray
from command import run_job

if TYPE_CHECKING:
    from crossmodal.config import Experiment
    from crossmodal.reporting.table import ScoreTable


def compare(experiment: "Experiment", arguments: argparse.Namespace) -> None:
    """Train what is missing of each split, score all, and print the table."""
    from crossmodal.training.compared_splits import NO_SESSIONS, comparison_name, plan_compared

    plans = plan_compared(experiment)
    if cores := max(plan.cores for plan in plans):
        start_ray(num_cpus=cores)
    # Only now, since they bring Ray and MLflow, which take seconds that a mistake need not wait for.
    import mne
    from rich.console import Console

    from crossmodal.reporting.report import publish_comparison
    from crossmodal.reporting.split_table import SplitTable, splits_to_csv, splits_to_markdown, splits_to_metrics, splits_to_rich
    from crossmodal.tracking.links import way_to_runs
    from crossmodal.tracking.runs import Tracker
    from crossmodal.training.board import Board
    from crossmodal.training.experiment import train_experiment
    from crossmodal.training.scoring import score_run
    from crossmodal.tuning.looks import count_look

    # Per call, as everywhere else, it would not hold: folds are evaluated in threads, which share MNE's level.
    mne.set_log_level("ERROR")
    console, kinds = Console(stderr=True), [plan.experiment.split.kind for plan in plans]
    for kind, plan in zip(kinds, plans, strict=True):
        console.print(f"{kind}: {len(plan.missing)} of {len(plan.folds)} folds to train")
        with Board(console, [fold.name for fold in plan.missing], experiment.training.epochs) as board:
            train_experiment(plan, board.show)
    with Tracker(experiment.tracking) as tracker:
        scored: dict[str, ScoreTable] = {
            kind: score_run(plan, tracker, count_look(plan, "jobs/compare_splits.py")).table
            for kind, plan in zip(kinds, plan_compared(experiment), strict=True)
        }
        table = SplitTable(scored, () if "leave_one_session_out" in scored else (NO_SESSIONS,))
        texts = {"splits.md": splits_to_markdown(table), "splits.csv": splits_to_csv(table)}
        name = comparison_name(plans)
        place = publish_comparison(texts, splits_to_metrics(table), {}, plans[0].experiment.store, name, tracker)
    # A log has no width; columns would be cut at 80.
    Console(width=None if sys.stdout.isatty() else 190).print(splits_to_rich(table))
    print(f"table: {place}\nMLflow: {way_to_runs(experiment.tracking.uri, tracker.experiment_id)}")


if __name__ == "__main__":
    run_job(__doc__, compare)
