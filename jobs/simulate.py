"""Simulate the cohort of an experiment: a BIDS dataset of EEG with MEG or BOLD recorded at once, with its ground truth."""

import argparse
from typing import TYPE_CHECKING

from command import run_job

if TYPE_CHECKING:
    from crossmodal.config import Experiment


def simulate(experiment: "Experiment", arguments: argparse.Namespace) -> None:
    """Make the cohort and say what was made."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

    from crossmodal.config import UserError
    from preprocessing.simulated.cohort import simulate_cohort

    if experiment.cortex:
        raise UserError(f"{arguments.experiment}: its samples are made while a model is trained; run jobs/train.py at once")
    if experiment.simulation is None:
        raise UserError(f"{arguments.experiment}: it has no 'simulation' section; add one with a root to simulate to")
    console = Console(stderr=True)
    with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("simulating subjects", total=experiment.simulation.subjects)
        made = simulate_cohort(experiment.simulation, lambda label: progress.advance(task))
        progress.update(task, completed=experiment.simulation.subjects)
    summary = f"{made} of {experiment.simulation.subjects} subjects made" if made else "nothing to make, the cohort is there"
    print(f"{experiment.simulation.root}: {summary}")


if __name__ == "__main__":
    run_job(__doc__, simulate)
