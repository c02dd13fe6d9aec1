"""What a search would do: planned without Ray and MLflow, so that a mistake is told at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from crossmodal.config import Experiment, UserError
from crossmodal.config.data import CrossValidation
from crossmodal.datasets.folds import make_folds
from crossmodal.datasets.manifest import Manifest
from crossmodal.training.plan import find_dataset
from crossmodal.tuning.space import Space
from crossmodal.tuning.study import study_name
from crossmodal.tuning.subjects import divide


@dataclass(frozen=True)
class SweepPlan:
    """What a search would do.

    Attributes
    ----------
    split : CrossValidation
        Of the development subjects.
    test : tuple of str
        Subjects that no trial sees.
    parameters : dict of str to str
        Distributions that the space draws from, as JSON.
    """

    experiment: Experiment
    manifest: Manifest
    space: Space
    split: CrossValidation
    test: tuple[str, ...]
    study: str
    parameters: dict[str, str]

    @property
    def epochs(self) -> int:
        """A whole trial has, over all folds."""
        return self.experiment.training.epochs * self.split.folds


def plan_sweep(experiment: Experiment, space: Space, kept: Sequence[str] = ()) -> SweepPlan:
    """Rehearse the space, look up the dataset and set test subjects, and others to be kept, aside; nothing is written.

    Raises
    ------
    UserError
        The settings do not go with the task, the store cannot be reached, or the dataset, its channels, the split or the space
        does not go with the experiment.
    """
    if "gpu_hours" in experiment.tuning.objectives and experiment.training.gpu == "never":
        raise UserError("tuning.objectives: gpu_hours cannot be an objective where training.gpu is 'never'; leave one of them out")
    parameters = space.rehearse(experiment)
    experiment, manifest = find_dataset(experiment)
    split, test = divide(experiment, manifest.subjects, kept)
    make_folds(split, manifest)
    return SweepPlan(experiment, manifest, space, split, test, study_name(experiment), parameters)
