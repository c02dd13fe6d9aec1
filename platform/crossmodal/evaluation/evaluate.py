"""Judge the trained models of a run, fold by fold."""

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import mne

from crossmodal.config import Experiment, UserError
from crossmodal.datasets.folds import Fold
from crossmodal.datasets.manifest import Manifest
from crossmodal.datasets.opening import open_fold
from crossmodal.evaluation.evaluator import Evaluator
from crossmodal.evaluation.own_fold import check_own_fold
from crossmodal.evaluation.scores import FoldDetail, FoldScores, save_scores
from crossmodal.models.base import Model
from crossmodal.models.registry import network_spec
from crossmodal.models.store import ModelCard, load_model
from crossmodal.storage.node_cache import NodeCache
from crossmodal.storage.uri import fetch_folder, join
from crossmodal.transforms.scaling import Normaliser

# NumPy and torch leave the interpreter to other threads; more folds would not fit every laptop's memory.
_FOLDS_AT_A_TIME = 2


@dataclass(frozen=True)
class FoldEvaluation:
    """What the evaluation of a fold gives: its scores, arrays for figures, and the sensors of each test subject."""

    scores: FoldScores
    detail: FoldDetail
    infos: dict[str, mne.Info]


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
    spec = network_spec(experiment.model)
    if not spec.config.predicts_waveforms:
        raise UserError(
            f"model: only waveforms are scored, in SI units, beside baselines, and this {spec.config.title} predicts none; train with"
            " settings that do, as model.target.kind=waveform of synaptech_net"
        )
    evaluator = Evaluator(experiment, run)
    cache = NodeCache(Path(experiment.node_cache.root), int(experiment.node_cache.max_gb * 1e9))

    def evaluate(fold: Fold) -> FoldEvaluation:
        uri = join(experiment.store, "models", run, fold.name)
        network, card = _load(uri)
        data = open_fold(manifest, fold, experiment.data, experiment.seed, cache)
        check_own_fold(card, run, data, uri)
        scores, detail = evaluator.evaluate(data, network, Normaliser.from_plain(card.normaliser))
        save_scores(experiment.store, scores, detail)
        return FoldEvaluation(scores, detail, {subject: data.info(subject) for subject in detail.subjects})

    with contextlib.closing(cache), ThreadPoolExecutor(_FOLDS_AT_A_TIME) as pool:
        yield from pool.map(evaluate, folds)


def _load(uri: str) -> tuple[Model, ModelCard]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        fetch_folder(uri, folder)
        return load_model(folder)
