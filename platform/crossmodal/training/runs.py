"""What a training run is called, where the store keeps it, and what a finished fold leaves there."""

from typing import Any

from crossmodal.config import Config, Experiment, fingerprint
from crossmodal.config.data import LeaveOneSubjectOut
from crossmodal.datasets.manifest import Manifest
from crossmodal.models.registry import network_spec
from crossmodal.models.store import CARD
from crossmodal.storage.uri import exists, join, read_json
from crossmodal.training.state import EpochMetrics, best_epoch

RESULT = "training.json"
# They say where and how fast a network is trained, not which.
_NOT_OF_THE_RESULT = {"gpu", "threads_per_worker", "parallel_folds", "max_failures", "start_timeout_s", "outage_s", "check_feed"}


class FoldResult(Config):
    """How the training of one fold went; it lies beside the model, which has the weights of the best epoch."""

    run: str
    fold: str
    n_parameters: int
    history: tuple[EpochMetrics, ...]

    @property
    def best(self) -> EpochMetrics:
        """The epoch whose weights the model has."""
        return best_epoch(self.history)


def run_name(experiment: Experiment, manifest: Manifest) -> str:
    """Name a run by all that decides its result: the same command finds what it left, another does not.

    Which subjects of a leave-one-subject-out split are held out this time is not part of it: each fold is its own.
    """
    return f"{experiment.name}-{fingerprint(settings_of_result(experiment, manifest))}"


def settings_of_result(experiment: Experiment, manifest: Manifest) -> dict[str, Any]:
    """All that decides what a training gives."""
    split = experiment.split.model_copy(update={"held_out": None}) if isinstance(experiment.split, LeaveOneSubjectOut) else experiment.split
    return {
        "dataset": manifest.fingerprint,
        "data": experiment.data,
        "split": split,
        "model": network_spec(experiment.model).settings,
        "training": experiment.training.model_dump(mode="json", exclude=_NOT_OF_THE_RESULT),
        "seed": experiment.seed,
    }


def checkpoints_uri(store: str, run: str, *fold: str) -> str:
    """Where checkpoints of a fold, or of all, lie until it is finished."""
    return join(store, "runs", run, *fold)


def model_uri(store: str, run: str, fold: str) -> str:
    """Where the model of a finished fold lies."""
    return join(store, "models", run, fold)


def finished(store: str, run: str, fold: str) -> FoldResult | None:
    """Read how a fold's training went, or None while it is not finished."""
    uri = model_uri(store, run, fold)
    return FoldResult.model_validate(read_json(join(uri, RESULT))) if exists(join(uri, CARD)) else None
