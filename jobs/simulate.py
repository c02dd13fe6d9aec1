"""Simulate a BIDS dataset with its ground truth, or the clips and lead fields that samples of cortical activity are mixed from."""

import argparse
from typing import TYPE_CHECKING

from cluster import start_ray
from command import run_job

if TYPE_CHECKING:
    from rich.progress import Progress

    from crossmodal.config import Experiment


def simulate(experiment: "Experiment", arguments: argparse.Namespace) -> None:
    """Make the cohort, or clips and lead fields, and say what was made; or only tell."""
    from crossmodal.config import UserError
    from crossmodal.config.cortex import PatchSimulation

    if isinstance(experiment.cortex, PatchSimulation):
        _simulate_ingredients(experiment, arguments.plan)
    elif experiment.cortex:
        raise UserError(f"{arguments.experiment}: its samples are made while a model is trained; run jobs/train.py at once")
    elif experiment.simulation is None:
        raise UserError(f"{arguments.experiment}: it has no 'simulation' section; add one with a root to simulate to")
    elif arguments.plan:
        raise UserError(f"{arguments.experiment}: --plan is of clips and lead fields, which this experiment does not have")
    else:
        _simulate_cohort(experiment)


def _simulate_cohort(experiment: "Experiment") -> None:
    from preprocessing.simulated.cohort import simulate_cohort

    assert experiment.simulation
    with _progress() as progress:
        task = progress.add_task("simulating subjects", total=experiment.simulation.subjects)
        made = simulate_cohort(experiment.simulation, lambda label: progress.advance(task))
        progress.update(task, completed=experiment.simulation.subjects)
    summary = f"{made} of {experiment.simulation.subjects} subjects made" if made else "nothing to make, the cohort is there"
    print(f"{experiment.simulation.root}: {summary}")


def _simulate_ingredients(experiment: "Experiment", only_tell: bool) -> None:
    from crossmodal.storage.uri import absolute
    from crossmodal.tasks.cortex.patch_fold import plan_ingredients

    store = absolute(experiment.store)
    plan = plan_ingredients(experiment.model_copy(update={"store": store}))
    if only_tell:
        for each in plan.missing:
            print(f"{each.told}: to be made, about {each.core_s:.0f} s of a core")
        hours = sum(each.core_s for each in plan.missing) / 3600
        print(f"{store}: {len(plan.present)} are there, {len(plan.missing)} to be made in about {hours:.2g} core-hours")
        return
    if plan.missing:
        start_ray()
        from preprocessing.simulated.ingredients import make_ingredients

        with _progress() as progress:
            task = progress.add_task("simulating clips and lead fields", total=len(plan.missing))
            make_ingredients(plan, store, lambda made: progress.advance(task))
    print(f"{store}: {len(plan.missing)} made, {len(plan.present)} there before")


def _progress() -> "Progress":
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

    return Progress(*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn(), console=Console(stderr=True))


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--plan", action="store_true", help="tell which clips and lead fields are there and what the others would take")


if __name__ == "__main__":
    run_job(__doc__, simulate, _add_options)
