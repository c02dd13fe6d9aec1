"""What an experiment would train: planned without Ray and MLflow, so that a mistake is told at once."""

from collections.abc import Mapping
from dataclasses import dataclass

from crossmodal.config import Experiment
from crossmodal.datasets.folds import Fold, make_folds
from crossmodal.datasets.manifest import Manifest
from crossmodal.storage.uri import absolute, check_reachable
from crossmodal.tasks.choosing import task_of
from crossmodal.training.runs import FoldResult, finished, run_name


@dataclass(frozen=True)
class Plan:
    """What an experiment would train.

    Attributes
    ----------
    experiment : Experiment
        Its store, if it is local, is absolute: workers do not start in the folder that the job did.
    run : str
        Names the training run.
    folds : tuple of Fold
    finished : mapping of str to FoldResult
        Folds trained before, by name.
    """

    experiment: Experiment
    manifest: Manifest
    run: str
    folds: tuple[Fold, ...]
    finished: Mapping[str, FoldResult]

    @property
    def missing(self) -> tuple[Fold, ...]:
        """Folds to train."""
        return tuple(fold for fold in self.folds if fold.name not in self.finished)

    @property
    def cores(self) -> int:
        """How many cores training what is missing keeps busy."""
        training = self.experiment.training
        return min(training.parallel_folds, len(self.missing)) * training.workers * training.threads_per_worker


def plan_training(experiment: Experiment) -> Plan:
    """Look up the dataset, divide it, and see which folds are trained already; nothing is written.

    Raises
    ------
    UserError
        The store cannot be reached or holds no such dataset, or the split, the channels or the model do not go with it.
    """
    experiment, manifest = find_dataset(experiment)
    run = run_name(experiment, manifest)
    folds = make_folds(experiment.split, manifest)
    results = {fold.name: finished(experiment.store, run, fold.name) for fold in folds}
    known = {name: result for name, result in results.items() if result}
    return Plan(experiment, manifest, run, folds, known)


def find_dataset(experiment: Experiment) -> tuple[Experiment, Manifest]:
    """Look up the dataset of an experiment, which is returned with an absolute store.

    Raises
    ------
    UserError
        The settings do not go with the task, the store cannot be reached or holds no such dataset, or the channels do not go with it.
    """
    task = task_of(experiment)
    task.check(experiment)
    task.epoch_metric(experiment)
    experiment = experiment.model_copy(update={"store": absolute(experiment.store)})
    check_reachable(experiment.store)
    return experiment, task.find_dataset(experiment)
