"""Train the network of an experiment, one fold after another; what is trained already is kept, what was interrupted goes on."""

import argparse
from typing import TYPE_CHECKING

from cluster import start_ray
from command import run_job

if TYPE_CHECKING:
    from crossmodal.config import Experiment


def train(experiment: "Experiment", arguments: argparse.Namespace) -> None:
    """Train all folds, with their progress, and say where models and runs lie."""
    from crossmodal.storage.uri import join
    from crossmodal.training.plan import plan_training

    plan = plan_training(experiment)
    models = join(plan.experiment.store, "models", plan.run)
    if plan.finished:
        print(f"{len(plan.finished)} of {len(plan.folds)} folds are trained already; delete them in {models} to train them again")
    if plan.missing:
        start_ray(num_cpus=plan.cores)
    # Only now, since they bring Ray and MLflow, which take seconds that a mistake need not wait for.
    from rich.console import Console

    from crossmodal.training.board import Board
    from crossmodal.training.experiment import train_experiment

    with Board(Console(stderr=True), [fold.name for fold in plan.missing], experiment.training.epochs) as board:
        train_experiment(plan, board.show)
    print(f"{len(plan.folds)} folds trained as {plan.run}; models in {models}")


if __name__ == "__main__":
    run_job(__doc__, train)
