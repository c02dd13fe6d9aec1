"""The training loop. It knows torch, and nothing of Ray, of MLflow or of where things are kept.

Repeatability. On CPU, at the same world size and number of threads, training ends with the same bits however often it
was interrupted: all that an epoch does follows from the state before it and from (seed, epoch, rank). On a GPU the same
holds while every operation has a deterministic kernel (torch warns of those that have none); otherwise, and between CPU
and GPU, validation losses are taken as equal within 1e-3 relative in float32 and 1e-2 in bfloat16. At another world size
sums are taken in another order and dropout draws other masks: with the same windows a step (workers x batch_size) and no
dropout, losses agree within 1e-4 relative over the few epochs that the tests train; with dropout, as two seeds agree.
"""

import hashlib
import logging
import math
import time
from collections.abc import Callable, Iterable

import torch
from torch import nn

from crossmodal.config import UserError
from crossmodal.config.training import Training
from crossmodal.datasets.batches import Batch, BatchReader, epoch_order, iterate
from crossmodal.models.base import Model
from crossmodal.training.schedule import learning_rate
from crossmodal.training.state import EpochMetrics, TrainingState
from crossmodal.training.validation import validation_loss
from crossmodal.training.world import World, autocast

_LOG = logging.getLogger(__name__)


def fit(
    model: Model,
    train: BatchReader,
    validation: BatchReader,
    training: Training,
    seed: int,
    world: World,
    after_epoch: Callable[[TrainingState], None],
    resume: TrainingState,
) -> TrainingState:
    """Train until the last epoch, or until the validation loss has not fallen for `training.patience` epochs.

    Parameters
    ----------
    model : Model
        On the world's device, with the same weights on every rank. It ends with those of the best epoch.
    train, validation : BatchReader
        The same on every rank; the loop shares their windows out.
    after_epoch : callable
        Called on every rank after each epoch, for whoever reports and saves.
    resume : TrainingState
        Goes on after its epochs; one without epochs starts.

    Returns
    -------
    TrainingState
        After the last epoch.

    Raises
    ------
    UserError
        The loss is no longer finite.
    """
    if training.precision == "bfloat16" and world.device.type != "cuda":
        _LOG.warning("training.precision is ignored: bfloat16 is for GPUs, and this worker has none")
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=training.weight_decay, fused=True)
    state = resume
    if resume.history:
        model.load_state_dict(resume.weights)
        optimiser.load_state_dict(resume.optimiser)
    while not _ended(state, training):
        started = time.perf_counter()
        epoch = state.epochs
        order = epoch_order(len(train), seed, epoch, world.rank, world.size)
        torch.manual_seed(_mixed(seed, epoch, world.rank))
        loss = train_epoch(model, optimiser, iterate(train, training.batch_size, order, world.device), training, epoch, len(order), world)
        trained = time.perf_counter()
        metrics = EpochMetrics(
            epoch=epoch,
            loss=_finite(loss, epoch),
            validation_loss=_finite(validation_loss(model, validation, training, world), epoch),
            learning_rate=optimiser.param_groups[0]["lr"],
            seconds=time.perf_counter() - started,
            windows_per_s=len(order) * world.size / (trained - started),
        )
        state = _advanced(state, metrics, model, optimiser)
        after_epoch(state)
    model.load_state_dict(state.best_weights)
    return state


def train_epoch(
    model: Model, optimiser: torch.optim.Optimizer, batches: Iterable[Batch], training: Training, epoch: int, n_windows: int, world: World
) -> float:
    """Take one step a batch.

    Parameters
    ----------
    batches : iterable of Batch
        This rank's, on its device; every rank has as many.
    n_windows : int
        In all of them.

    Returns
    -------
    float
        Mean loss over the windows of all ranks, each before its step.
    """
    # More than two ranks sum gradients in an order that depends on how they are bucketed, and buckets are regrouped after
    # the first step: shared anew each epoch, a resumed epoch runs exactly as it would have.
    objective = world.share(_Objective(model).train())
    steps_per_epoch = math.ceil(n_windows / training.batch_size)
    total = torch.zeros((), dtype=torch.float64, device=world.device)
    for step, batch in enumerate(batches, start=epoch * steps_per_epoch):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(training, step, steps_per_epoch)
        with autocast(training, world):
            loss = objective(batch.source_bct, batch.target_bst)
        optimiser.zero_grad()
        loss.backward()
        if training.gradient_clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), training.gradient_clip)
        optimiser.step()
        total += loss.detach() * len(batch.source_bct)
    return float(world.sum(total)) / (n_windows * world.size)


class _Objective(nn.Module):
    """The loss as a module's output, since workers share gradients of what a module's forward computes."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, x_bct: torch.Tensor, y_bst: torch.Tensor) -> torch.Tensor:
        return self.model.loss(x_bct, y_bst)


def _ended(state: TrainingState, training: Training) -> bool:
    if not state.history:
        return False
    stale = training.patience is not None and state.epochs - 1 - state.best.epoch >= training.patience
    return stale or state.epochs >= training.epochs


def _advanced(state: TrainingState, metrics: EpochMetrics, model: nn.Module, optimiser: torch.optim.Optimizer) -> TrainingState:
    # Copies, because the next step changes the tensors in place, and on the CPU, where checkpoints are written from.
    weights = {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}
    history = [*state.history, metrics]
    is_best = not state.history or metrics.validation_loss < state.best.validation_loss
    return TrainingState(weights, weights if is_best else state.best_weights, optimiser.state_dict(), history)


def _mixed(seed: int, epoch: int, rank: int) -> int:
    """A seed far from those of other epochs and ranks."""
    return int.from_bytes(hashlib.sha256(f"{seed} {epoch} {rank}".encode()).digest()[:7])


def _finite(loss: float, epoch: int) -> float:
    if not math.isfinite(loss):
        raise UserError(f"the loss was no longer finite in epoch {epoch + 1}; lower training.learning_rate or training.gradient_clip")
    return loss
