"""The training loop. It knows torch, and nothing of Ray, of MLflow or of where things are kept.

Repeatability. On CPU, at the same world size and number of threads, training ends with the same bits however often it
was interrupted between epochs: all that an epoch does follows from the state before it and from (seed, epoch, rank). One
left in its middle, because a node was to be reclaimed, ends with the same bits on up to two workers, since it takes its sums
and random states along; more add up gradients in another order in the step after such a return. On a GPU the same
holds while every operation has a deterministic kernel (torch warns of those that have none); otherwise, and between CPU
and GPU, validation losses are taken as equal within 1e-3 relative in float32 and 1e-2 in bfloat16. At another world size
sums are taken in another order and dropout draws other masks: with the same windows a step (workers x batch_size) and no
dropout, losses agree within 1e-4 relative over the few epochs that the tests train; with dropout, as two seeds agree.
"""

import hashlib
import logging
import math
import time
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import nn

from crossmodal.config.training import Training
from crossmodal.datasets.feed import Batch, Feed, epoch_order, with_places
from crossmodal.evaluation.epoch_metrics import EpochMetric
from crossmodal.models.base import Model
from crossmodal.physics.places import Places
from crossmodal.training.augmentation import augmented
from crossmodal.training.loss_watch import LossWatch
from crossmodal.training.partial import PartialEpoch, random_states, set_random_states
from crossmodal.training.schedule import highest_rate, learning_rate
from crossmodal.training.state import EpochMetrics, TrainingState, best_epoch
from crossmodal.training.validation import validate
from crossmodal.training.world import World, autocast

_LOG = logging.getLogger(__name__)
# To ask, whether losses are finite or a machine goes, is a word among the workers: rarely enough to cost nothing, often enough for a
# notice of half a minute.
_STEPS_BETWEEN_QUESTIONS = 8


class ReclaimedError(Exception):
    """A machine is about to be taken away: what was done is kept, and training goes on elsewhere."""


def fit(
    model: Model,
    train: Feed,
    validation: Feed,
    training: Training,
    seed: int,
    world: World,
    keep: Callable[[TrainingState], None],
    resume: TrainingState,
    metric: EpochMetric | None = None,
) -> TrainingState:
    """Train until the last epoch, or until no epoch was better on validation subjects for `training.patience` epochs.

    Parameters
    ----------
    model : Model
        On the world's device, with the same weights on every rank. It ends with those of the best epoch.
    train, validation : Feed
        The same on every rank; the loop shares their windows out.
    keep : callable
        Called on every rank after each epoch, and before workers leave, for whoever reports and saves.
    resume : TrainingState
        Goes on where it was left; an empty one starts.
    metric : EpochMetric, optional
        Chooses the epoch; None leaves that to the validation loss.

    Returns
    -------
    TrainingState
        After the last epoch.

    Raises
    ------
    UserError
        On every rank: the loss is no longer finite. The sentence names the batch, and `keep` was given nothing of this epoch.
    ReclaimedError
        On every rank, when `world.reclaimed` says so.
    """
    if training.precision == "bfloat16" and world.device.type != "cuda":
        _LOG.warning("training.precision is ignored: bfloat16 is for GPUs, and this worker has none")
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=training.weight_decay, fused=True)
    state = resume
    if resume.weights:
        model.load_state_dict(resume.weights)
        optimiser.load_state_dict(resume.optimiser)
    while not _ended(state, training):
        epoch, begun = state.epochs, state.partial
        order = epoch_order(len(train), seed, epoch, world.rank, world.size)
        if begun is None:
            torch.manual_seed(_mixed(seed, epoch, world.rank))
            begun = PartialEpoch.nothing()
        else:
            set_random_states(begun.random_rn, world)

        def leave(partial: PartialEpoch, before: TrainingState = state) -> None:
            keep(_left(before, partial, model, optimiser))
            raise ReclaimedError

        started = time.perf_counter() - begun.seconds
        rest = train.batches(training.batch_size, order[begun.steps * training.batch_size :], world.device)
        rest = with_places(train, rest, model.uses_places)
        watch = LossWatch(train, epoch, world)
        terms = train_epoch(model, optimiser, rest, training, state.history, len(order), world, watch, begun, leave)
        trained = time.perf_counter()
        judged = validate(model, validation, training, world, metric, LossWatch(validation, epoch, world))
        metrics = EpochMetrics(
            epoch=epoch,
            loss=sum(terms.values()),
            validation_loss=sum(judged.terms.values()),
            validation_metric=judged.metric,
            loss_terms=terms if len(terms) > 1 else {},
            validation_terms=judged.terms if len(judged.terms) > 1 else {},
            learning_rate=optimiser.param_groups[0]["lr"],
            seconds=time.perf_counter() - started,
            windows_per_s=len(order) * world.size / (trained - started),
        )
        state = _advanced(state, metrics, model, optimiser)
        keep(state)
    model.load_state_dict(state.best_weights)
    return state


def train_epoch(
    model: Model,
    optimiser: torch.optim.Optimizer,
    batches: Iterable[Batch],
    training: Training,
    history: Sequence[EpochMetrics],
    n_windows: int,
    world: World,
    watch: LossWatch | None = None,
    begun: PartialEpoch | None = None,
    leave: Callable[[PartialEpoch], None] | None = None,
) -> dict[str, float]:
    """Take one step a batch.

    Parameters
    ----------
    batches : iterable of Batch
        This rank's, on its device, without those of the steps that `begun` took; every rank has as many.
    history : sequence of EpochMetrics
        The epochs before.
    n_windows : int
        Of this rank in the whole epoch.
    watch : LossWatch, optional
        Stops the epoch where a loss is not finite; None lets it go on.
    begun : PartialEpoch, optional
        Goes on with it.
    leave : callable, optional
        Given on every rank how far the epoch is, when a machine is about to be taken away; it raises.

    Returns
    -------
    dict of str to float
        Mean of each term of the loss over the windows of all ranks, each before its step.

    Raises
    ------
    UserError
        On every rank, where `watch` was given a loss that is not finite.
    """
    # More than two ranks sum gradients in an order that depends on how they are bucketed, and buckets are regrouped after
    # the first step: shared anew each epoch, a resumed epoch runs exactly as it would have.
    terms = _Terms(model).train()
    objective = world.share(terms)
    steps_per_epoch = math.ceil(n_windows / training.batch_size)
    highest, steps_before = highest_rate(training, history), len(history) * steps_per_epoch
    begun = begun or PartialEpoch.nothing()
    started = time.perf_counter() - begun.seconds
    totals = {term: total_r[world.rank].to(world.device) for term, total_r in begun.totals_r.items()}
    for done, batch in enumerate(batches, start=begun.steps + 1):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(training, highest, steps_before + done - 1, steps_per_epoch)
        with autocast(training, world):
            terms_k = objective(augmented(batch.input_bct, training.augmentation), batch.target_bst, batch.places)
        optimiser.zero_grad()
        terms_k.sum().backward()
        if training.gradient_clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), training.gradient_clip)
        optimiser.step()
        for term, mean in zip(terms.names, terms_k.detach(), strict=True):
            totals[term] = totals.get(term, mean.new_zeros((), dtype=torch.float64)) + mean * len(batch.input_bct)
        if watch:
            watch.note(batch.windows, terms_k)
        if done % _STEPS_BETWEEN_QUESTIONS and done < steps_per_epoch:
            continue
        if watch:
            watch.look()
        if leave and world.reclaimed():
            gathered = {term: world.gather(total) for term, total in totals.items()}
            leave(PartialEpoch(done, time.perf_counter() - started, gathered, random_states(world)))
    return {term: float(world.sum(total)) / (n_windows * world.size) for term, total in totals.items()}


class _Terms(nn.Module):
    """Terms of the loss as a module's output, since workers share gradients of what a module's forward computes."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self.names: tuple[str, ...] = ()

    def forward(self, x_bct: torch.Tensor, y_bst: torch.Tensor, places: Places | None) -> torch.Tensor:
        terms = self.model.terms_at(x_bct, y_bst, places)
        self.names = tuple(terms)
        return torch.stack(list(terms.values()))


def _ended(state: TrainingState, training: Training) -> bool:
    if not state.history:
        return False
    stale = training.patience is not None and state.epochs - 1 - state.best.epoch >= training.patience
    return stale or state.epochs >= training.epochs


def _advanced(state: TrainingState, metrics: EpochMetrics, model: nn.Module, optimiser: torch.optim.Optimizer) -> TrainingState:
    # Copies, because the next step changes the tensors in place, and on the CPU, where checkpoints are written from.
    weights = {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}
    history = [*state.history, metrics]
    is_best = best_epoch(history) is metrics
    return TrainingState(weights, weights if is_best else state.best_weights, optimiser.state_dict(), history)


def _left(state: TrainingState, partial: PartialEpoch, model: nn.Module, optimiser: torch.optim.Optimizer) -> TrainingState:
    weights = {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}
    return TrainingState(weights, state.best_weights, optimiser.state_dict(), state.history, partial)


def _mixed(seed: int, epoch: int, rank: int) -> int:
    """A seed far from those of other epochs and ranks."""
    return int.from_bytes(hashlib.sha256(f"{seed} {epoch} {rank}".encode()).digest()[:7])
