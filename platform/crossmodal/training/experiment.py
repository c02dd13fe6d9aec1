"""All folds of an experiment: found finished or trained, and tracked."""

from collections.abc import Callable, Iterable

from crossmodal.tracking.runs import Tracker
from crossmodal.training.fold import FoldProgress
from crossmodal.training.journal import Journal
from crossmodal.training.plan import Plan
from crossmodal.training.ray_trainer import train_folds


def train_experiment(plan: Plan, show: Callable[[FoldProgress], None]) -> None:
    """Train what is missing, on Ray, which must be initialised then, and bring MLflow up to date with all folds.

    Raises
    ------
    UserError
        Something the user can mend; what was finished before stays.
    ray.train.TrainingFailedError
        Workers failed or were lost too often.
    """
    # Workers take as long to start as MLflow does to create its tables: both at once.
    news = train_folds(plan.experiment, plan.manifest, plan.run, plan.missing) if plan.missing else iter(())
    with Tracker(plan.experiment.tracking) as tracker:
        tracker.close_orphans()
        follow(Journal(tracker, plan.experiment, plan.manifest, plan.run, plan.folds), plan, news, show)


def follow(journal: Journal, plan: Plan, news: Iterable[FoldProgress], show: Callable[[FoldProgress], None]) -> None:
    """Write what was trained before and what training tells to MLflow, until it ends."""
    with journal:
        for name, result in plan.finished.items():
            journal.record(FoldProgress(name, result.history, result=result))
        for progress in news:
            show(progress)
            journal.record(progress)
