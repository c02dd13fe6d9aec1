"""Judge the trained models of a run, fold by fold."""

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from crossmodal.config import Experiment
from crossmodal.datasets.folds import Fold
from crossmodal.datasets.manifest import Manifest
from crossmodal.evaluation.own_fold import check_own_fold
from crossmodal.evaluation.scores import FoldEvaluation, save_scores
from crossmodal.models.base import Model
from crossmodal.models.store import ModelCard, load_model
from crossmodal.storage.node_cache import NodeCache
from crossmodal.storage.uri import fetch_folder, join
from crossmodal.tasks.choosing import task_of
from crossmodal.transforms.scaling import Normaliser

# NumPy and torch leave the interpreter to other threads; more folds would not fit every laptop's memory.
_FOLDS_AT_A_TIME = 2


def evaluate_folds(experiment: Experiment, manifest: Manifest, run: str, folds: Sequence[Fold]) -> Iterator[FoldEvaluation]:
    """Evaluate the trained folds of a run, some at a time, and keep their scores in the store.

    Parameters
    ----------
    experiment : Experiment
        Which the run trained.
    manifest : Manifest
        Of its dataset.
    run : str
        The training run, whose models lie in the store.
    folds : sequence of Fold
        All trained.

    Yields
    ------
    FoldEvaluation
        In the order of `folds`.

    Raises
    ------
    UserError
        A model is not that of its fold, or the experiment does not agree with the cohort that ceilings are computed from.
    """
    task = task_of(experiment)
    evaluator = task.evaluator(experiment, run)
    cache = NodeCache(Path(experiment.node_cache.root), int(experiment.node_cache.max_gb * 1e9))

    def evaluate(fold: Fold) -> FoldEvaluation:
        uri = join(experiment.store, "models", run, fold.name)
        network, card = _load(uri)
        data = task.open_fold(experiment, manifest, fold, cache)
        check_own_fold(card, run, data, uri)
        evaluation = evaluator.evaluate(data, network, Normaliser.from_plain(card.normaliser))
        save_scores(experiment.store, evaluation)
        return evaluation

    with contextlib.closing(cache), ThreadPoolExecutor(_FOLDS_AT_A_TIME) as pool:
        yield from pool.map(evaluate, folds)


def _load(uri: str) -> tuple[Model, ModelCard]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        fetch_folder(uri, folder)
        return load_model(folder)
