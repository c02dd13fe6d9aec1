"""Score the trained models of an experiment on their test subjects, beside baselines and ceilings: a table, figures, MLflow."""

import argparse
import sys
from typing import TYPE_CHECKING

from command import run_job

if TYPE_CHECKING:
    from crossmodal.config import Experiment


def evaluate(experiment: "Experiment", arguments: argparse.Namespace) -> None:
    """Evaluate all folds, print the table, and say where everything lies."""
    from crossmodal.config import UserError
    from crossmodal.training.plan import plan_training

    plan = plan_training(experiment)
    if plan.missing:
        names = ", ".join(fold.name for fold in plan.missing)
        raise UserError(f"{names}: not trained with these settings; run python jobs/train.py {arguments.experiment} first")
    # Only now, since it brings MLflow, which takes seconds that a mistake need not wait for.
    import mne
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

    from crossmodal.reporting.table import to_rich
    from crossmodal.tracking.links import way_to_runs
    from crossmodal.tracking.runs import Tracker
    from crossmodal.training.scoring import score_run
    from crossmodal.tuning.looks import count_look

    # Per call, as everywhere else, it would not hold: folds are evaluated in threads, which share MNE's level.
    mne.set_log_level("ERROR")
    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    with Tracker(experiment.tracking) as tracker, Progress(*columns, console=Console(stderr=True)) as progress:
        note = count_look(plan, "jobs/evaluate.py")
        scored = score_run(plan, tracker, note, lambda folds: progress.track(folds, len(plan.folds), description="evaluating folds"))
    # A log has no width; columns would be cut at 80.
    Console(width=None if sys.stdout.isatty() else 250).print(to_rich(scored.table))
    print(f"figures: {scored.figures}\nMLflow: {way_to_runs(experiment.tracking.uri, tracker.experiment_id)}")


if __name__ == "__main__":
    run_job(__doc__, evaluate)
