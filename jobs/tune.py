"""Search for hyperparameters: trials on development subjects, then the winner refitted, scored on test subjects and registered."""

import argparse
import sys
from typing import TYPE_CHECKING

from cluster import start_ray_for_trials
from command import run_job

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from crossmodal.config import Experiment


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--trials", type=int, metavar="N", help="in the whole study; the same as tuning.stop.trials=N")


def tune(experiment: "Experiment", arguments: argparse.Namespace) -> None:
    """Run trials until a stop rule holds, with a line each, then print how the winner does on subjects that no trial saw."""
    from crossmodal.config import overridden
    from crossmodal.tuning.plan import plan_sweep
    from search_spaces.finding import find_space

    if arguments.trials is not None:
        experiment = overridden(experiment, {"tuning.stop.trials": arguments.trials})
    plan = plan_sweep(experiment, find_space(experiment))
    # Only now, since they bring Ray and MLflow, which take seconds that a mistake need not wait for.
    from rich.console import Console

    from crossmodal.reporting.table import to_rich
    from crossmodal.tracking.runs import Tracker
    from crossmodal.training.board import Board
    from crossmodal.tuning.study import called, how_it_ended
    from crossmodal.tuning.sweep import search
    from crossmodal.tuning.winner import conclude

    console = Console(stderr=True)

    def show(trial: "FrozenTrial") -> None:
        console.print(f"{called(trial)}: {how_it_ended(trial, experiment.tuning.objectives)}", soft_wrap=True)

    start_ray_for_trials(experiment)
    with Tracker(experiment.tracking) as tracker:
        study, journal, reason = search(plan, tracker, show)
        console.print(f"no further trial: {reason}")
        with Board(console, ["fixed"], experiment.training.epochs) as board:
            outcome = conclude(plan, study, journal, tracker, board.show)
    # A log has no width; columns would be cut at 80.
    output = Console(width=None if sys.stdout.isatty() else 150)
    for title, table in (
        ("development subjects, on which the winner was chosen", outcome.development),
        ("test subjects, which no trial saw", outcome.test),
    ):
        output.print(f"\n{title}")
        output.print(to_rich(table))
    cost = outcome.cost
    print(f"winner: {called(outcome.winner)}, {outcome.winner.params}; registered as {outcome.model}")
    print(f"cost: {cost.core_hours:.3f} core-hours, {cost.gpu_hours:.3f} GPU-hours; {cost.pruned_share:.0%} went into pruned trials")


if __name__ == "__main__":
    run_job(__doc__, tune, _options)
