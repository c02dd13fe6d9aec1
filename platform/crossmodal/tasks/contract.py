"""What a task is: all that differs between sensors, volumes and cortex, as the rest of the platform knows it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from crossmodal.config import Experiment, UserError, fingerprint
from crossmodal.datasets.fold_data import FoldData
from crossmodal.datasets.folds import Fold
from crossmodal.datasets.manifest import Manifest
from crossmodal.datasets.opening import find_shards, open_fold
from crossmodal.evaluation.epoch_metrics import EpochMetric
from crossmodal.evaluation.regions import RegionScores
from crossmodal.evaluation.scorecard import Scorecard
from crossmodal.evaluation.scores import FoldEvaluation
from crossmodal.models.base import Model
from crossmodal.models.registry import network_spec
from crossmodal.storage.node_cache import NodeCache
from crossmodal.tasks.cleaned_input import CleanInput
from crossmodal.transforms.scaling import Normaliser

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Evaluator(Protocol):
    """Scores networks on the test role of folds, beside baselines and ceilings. Threads may share it."""

    def evaluate(self, fold: Any, network: Model, normaliser: Normaliser) -> FoldEvaluation:
        """Score a network that was trained on this fold, with the normaliser it was trained with."""


@dataclass(frozen=True)
class Written:
    """What `predict` wrote.

    Attributes
    ----------
    path : Path
        The file to open first.
    told : str
        What it holds, in words.
    notes : tuple of str
        Sentences that the run should say.
    """

    path: Path
    fold: str
    told: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ForwardFiles:
    """Files of a subject's own head.

    Attributes
    ----------
    forward : str
        A forward solution of MNE.
    spheres : tuple of str
        FreeSurfer's lh.sphere.reg and rh.sphere.reg, or nothing where the source space is fsaverage's.
    """

    forward: str
    spheres: tuple[str, ...] = ()


class Task(ABC):
    """One kind of target.

    What scores, draws and exports is imported where it is used: a mistake in an experiment is told before.
    """

    name: ClassVar[str]

    @abstractmethod
    def scorecard(self, experiment: Experiment) -> Scorecard:
        """Declare the figures of its scores."""

    @abstractmethod
    def check(self, experiment: Experiment) -> None:
        """Refuse, by UserError, settings that belong to another task, or that its models cannot follow."""

    @abstractmethod
    def epoch_metrics(self) -> Mapping[str, EpochMetric]:
        """Metrics of the scorecard that may choose the epoch."""

    def epoch_metric(self, experiment: Experiment) -> EpochMetric | None:
        """Find what chooses the epoch; None for the validation loss.

        Raises
        ------
        UserError
            The task has no such metric, or the model does not predict what it is taken on.
        """
        wanted, known = experiment.training.choose_epoch_by, self.epoch_metrics()
        if wanted == "validation_loss":
            return None
        if wanted not in known:
            raise UserError(
                f"training.choose_epoch_by: the task {self.name} has no '{wanted}'; choose validation_loss or {', '.join(known)}"
            )
        if not network_spec(experiment.model).config.predicts_waveforms:
            raise UserError(f"training.choose_epoch_by: {wanted} is taken on what the target is, and the model predicts its bands")
        return known[wanted]

    def scored_in(self, experiment: Experiment) -> str:
        """Fingerprint of what scores are of: those of other targets cannot stand in one table."""
        return fingerprint(experiment.data.target)

    def least_gap_s(self, experiment: Experiment) -> float:
        """How far apart training and test must be where they are parts of one recording, s: no window reaches from one to the other."""
        return experiment.data.windows.length_s

    def find_dataset(self, experiment: Experiment) -> Manifest:
        """Look up what an experiment trains on, shards of its recordings; raises UserError where there are none."""
        return find_shards(experiment)

    def open_fold(self, experiment: Experiment, manifest: Manifest, fold: Fold, cache: NodeCache) -> FoldData:
        """Open a fold on this node, windows of shards; raises UserError where data and experiment do not agree."""
        return open_fold(manifest, fold, experiment.data, experiment.seed, cache)

    @abstractmethod
    def evaluator(self, experiment: Experiment, run: str) -> Evaluator:
        """Make what scores the folds of a run."""

    @abstractmethod
    def draw_fold(self, evaluation: FoldEvaluation, experiment: Experiment) -> "dict[str, Figure]":
        """Draw a fold's figures, by file name."""

    def region_scores(self, evaluation: FoldEvaluation, experiment: Experiment) -> RegionScores | None:
        """The model's score of each region and its distance from the scalp; None where targets are no regions of an image."""
        return None

    @abstractmethod
    def write_space(self, data: FoldData, folder: Path) -> None:
        """Write where targets lie, beside a model's weights, in files that `predict` reads."""

    @abstractmethod
    def check_output(self, output: Path) -> None:
        """Refuse, by UserError, the name of a file that a prediction cannot be written to."""

    @abstractmethod
    def default_output(self, recording: str) -> Path:
        """Name the file of a prediction after its recording."""

    def with_forward(self, files: ForwardFiles) -> "Task":
        """Give the task that predicts from one subject by its forward solution; raises UserError where that has no use."""
        raise UserError(f"--forward: the task {self.name} has no use of {files.forward}, which is of a cortex; leave it out")

    @abstractmethod
    def predict(self, model: Path, experiment: Experiment, recording: str, output: Path, clean: CleanInput, scratch: Path) -> Written:
        """Predict from a recording with the model in a folder, and write the result, whole or not at all."""
