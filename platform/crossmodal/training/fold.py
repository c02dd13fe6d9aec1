"""One fold, from its data to a published model: what every worker does, under Ray or without it."""

import contextlib
import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from crossmodal.config import Experiment
from crossmodal.datasets.feed import epoch_order
from crossmodal.datasets.feed_check import check_feed
from crossmodal.datasets.fold_data import FoldData
from crossmodal.datasets.folds import Fold
from crossmodal.datasets.manifest import Manifest
from crossmodal.models.base import Model
from crossmodal.models.registry import network_spec
from crossmodal.models.store import CARD, ModelCard, save_model
from crossmodal.storage.node_cache import NodeCache
from crossmodal.storage.outage import retry_while_away
from crossmodal.storage.uri import StoreAwayError, publish_folder
from crossmodal.tasks.choosing import task_of
from crossmodal.training.checkpoint import latest_checkpoint, load_checkpoint, remove_checkpoints, save_checkpoint
from crossmodal.training.finishing import finish
from crossmodal.training.loop import fit
from crossmodal.training.runs import RESULT, FoldResult, checkpoints_uri, finished, model_uri
from crossmodal.training.state import EpochMetrics, TrainingState
from crossmodal.training.system import system_metrics
from crossmodal.training.world import World

_LOG = logging.getLogger(__name__)
_CHECKED = 64  # samples, where a feed is to be checked


@dataclass(frozen=True)
class FoldProgress:
    """How far a fold has come: its epochs so far, how busy the machine of rank 0 is, and the result of a finished one."""

    fold: str
    history: tuple[EpochMetrics, ...] = ()
    system: dict[str, float] = field(default_factory=dict)
    result: FoldResult | None = None


def train_fold(
    experiment: Experiment, manifest: Manifest, run: str, fold: Fold, world: World, tell: Callable[[FoldProgress], None]
) -> None:
    """Train a fold and publish its model, unless that is done; an interrupted one goes on from its newest checkpoint.

    While the store is away, for up to `training.outage_s`, training goes on without checkpoints, and only its start and end wait.

    Parameters
    ----------
    run : str
        From `runs.run_name`.
    tell : callable
        Told on every rank, when the fold starts or goes on, after each epoch, and at the end.

    Raises
    ------
    UserError
        On all ranks, whichever met it.
    ReclaimedError
        On all ranks, after a checkpoint: a machine of theirs is about to be taken away.
    """
    outage_s = experiment.training.outage_s
    done = world.from_rank_0(retry_while_away(lambda: finished(experiment.store, run, fold.name), outage_s))
    if done:
        return tell(FoldProgress(fold.name, done.history, result=done))
    cache = NodeCache(Path(experiment.node_cache.root), int(experiment.node_cache.max_gb * 1e9))
    with contextlib.closing(cache):
        data = world.together(lambda: retry_while_away(lambda: task_of(experiment).open_fold(experiment, manifest, fold, cache), outage_s))
        if experiment.training.check_feed:
            world.together(lambda: check_feed(data.train, epoch_order(len(data.train), experiment.seed, 0, 0, 1)[:_CHECKED]))
        network, history = _train(experiment, run, data, world, tell)
        world.on_rank_0(lambda: finish(network, data.validation, experiment.training.batch_size, world.device))
        network.for_inference()
        n_parameters = sum(parameter.numel() for parameter in network.parameters())
        result = FoldResult(run=run, fold=fold.name, n_parameters=n_parameters, history=history)
        world.on_rank_0(lambda: retry_while_away(lambda: _publish(experiment, data, network, result), outage_s))
    tell(FoldProgress(fold.name, history, result=result))


def _train(
    experiment: Experiment, run: str, data: FoldData, world: World, tell: Callable[[FoldProgress], None]
) -> tuple[Model, tuple[EpochMetrics, ...]]:
    checkpoints = checkpoints_uri(experiment.store, run, data.fold.name)
    outage_s = experiment.training.outage_s
    newest = world.from_rank_0(retry_while_away(lambda: latest_checkpoint(checkpoints), outage_s))
    resume = world.together(lambda: retry_while_away(lambda: load_checkpoint(newest), outage_s)) if newest else TrainingState()
    tell(FoldProgress(data.fold.name, tuple(resume.history), system_metrics(world.device)))

    def keep(state: TrainingState) -> None:
        world.on_rank_0(lambda: _save(state, checkpoints))
        if not state.partial:
            tell(FoldProgress(data.fold.name, tuple(state.history), system_metrics(world.device)))

    metric = task_of(experiment).epoch_metric(experiment)
    torch.manual_seed(experiment.seed)
    network = network_spec(experiment.model).build(data.signals).to(world.device)
    state = fit(network, data.train, data.validation, experiment.training, experiment.seed, world, keep, resume, metric)
    if clipped := data.normaliser.target.clipped:
        _LOG.warning("%s: log1p clipped %d target values below the training recordings' minimum", data.fold.name, clipped)
    return network, tuple(state.history)


def _save(state: TrainingState, checkpoints: str) -> None:
    """Keep a state for a resume, but not at the price of waiting: the next one holds all that this one does."""
    try:
        save_checkpoint(state, checkpoints)
    except StoreAwayError as error:
        _LOG.warning("training goes on without a checkpoint of epoch %d (%s)", state.epochs, error)


def _publish(experiment: Experiment, data: FoldData, network: Model, result: FoldResult) -> None:
    """Put the model and the result into the store, whole or not at all."""
    card = ModelCard(
        run=result.run,
        fold=result.fold,
        network=network_spec(experiment.model).settings,
        signals=data.signals,
        data=experiment.data,
        preprocessing=experiment.preprocessing,
        recorded_names=data.recorded_names,
        normaliser=data.normaliser.to_plain(),
        trained_on=tuple(dict.fromkeys(part.subject for part in (*data.fold.train, *data.fold.validation))),
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        save_model(folder, network, card)
        task_of(experiment).write_space(data, folder)
        (folder / RESULT).write_text(result.model_dump_json(indent=1))
        publish_folder(folder, model_uri(experiment.store, result.run, result.fold), last=CARD)
    remove_checkpoints(checkpoints_uri(experiment.store, result.run, result.fold))
