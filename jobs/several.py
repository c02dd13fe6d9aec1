"""What jobs that compare several runs share: training them one after another, and scoring them."""

from typing import TYPE_CHECKING

from cluster import start_ray

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crossmodal.training.plan import Plan
    from crossmodal.training.scoring import ScoredRun


def train_all(plans: "Mapping[str, Plan]") -> None:
    """Train what is missing of each run, by its label, with progress."""
    if cores := max(plan.cores for plan in plans.values()):
        start_ray(num_cpus=cores)
    # Only now, since they bring Ray and MLflow, which take seconds that a mistake need not wait for.
    from rich.console import Console

    from crossmodal.training.board import Board
    from crossmodal.training.experiment import train_experiment

    console = Console(stderr=True)
    for label, plan in plans.items():
        console.print(f"{label}: {len(plan.missing)} of {len(plan.folds)} folds to train", markup=False)
        with Board(console, [fold.name for fold in plan.missing], plan.experiment.training.epochs) as board:
            train_experiment(plan, board.show)


def score_all(plans: "Mapping[str, Plan]", why: str) -> "dict[str, ScoredRun]":
    """Score runs, all of whose folds are trained, and publish what comes out; `why` is what counted looks say."""
    import mne

    from crossmodal.tracking.runs import Tracker
    from crossmodal.training.scoring import score_run
    from crossmodal.tuning.looks import count_look

    # Per call, as everywhere else, it would not hold: folds are evaluated in threads, which share MNE's level.
    mne.set_log_level("ERROR")
    scored = {}
    for label, plan in plans.items():
        with Tracker(plan.experiment.tracking) as tracker:
            scored[label] = score_run(plan, tracker, count_look(plan, why))
    return scored
