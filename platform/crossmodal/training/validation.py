"""What decides which epoch is kept: the loss on validation subjects, term by term, or a metric of the task."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from crossmodal.config.training import Training
from crossmodal.datasets.feed import Batch, Feed, with_places
from crossmodal.evaluation.epoch_metrics import EpochMetric
from crossmodal.models.base import Model
from crossmodal.training.loss_watch import LossWatch
from crossmodal.training.world import World, autocast


@dataclass(frozen=True)
class Validation:
    """What an epoch is worth.

    Attributes
    ----------
    terms : dict of str to float
        Of the loss, each the mean over subjects of each one's mean over windows, so that a long recording weighs no more than a short one.
    metric : float or None
        The mean over subjects of the metric that was asked for.
    """

    terms: dict[str, float]
    metric: float | None


@torch.no_grad()
def validate(
    model: Model, feed: Feed, training: Training, world: World, metric: EpochMetric | None = None, watch: LossWatch | None = None
) -> Validation:
    """Run a model over the validation role.

    Ranks share the windows; sums are added in the order of ranks, so that a repetition agrees in every bit.

    Raises
    ------
    UserError
        On every rank, where `watch` was given a loss that is not finite.
    """
    model.eval()
    subjects, codes = np.unique(feed.subjects, return_inverse=True)
    order = np.argsort(codes, kind="stable")[world.rank :: world.size]
    batches = feed.batches(training.batch_size, order, world.device)
    names: tuple[str, ...] = ()
    terms, of_metric = _Sums(len(subjects)), _Sums(len(subjects))
    for batch in with_places(feed, batches, model.uses_places):
        batch_codes = codes[batch.windows]
        for code in np.unique(batch_codes):
            part = _part(batch, *np.searchsorted(batch_codes, [code, code + 1]))
            with autocast(training, world):
                of_part, predicted_bst = _judge(model, part)
            names = names or tuple(of_part)
            counted_k = torch.stack([*(term.double() for term in of_part.values()), torch.ones((), device=world.device).double()])
            if watch:
                watch.note(part.windows, counted_k)
            terms.add(code, counted_k * float(len(part.windows)))
            if metric:
                predicted_bst = model.run(part.input_bct, part.places) if predicted_bst is None else predicted_bst
                of_metric.add(code, metric.sums(part.target_bst.double(), predicted_bst.double()))
    if watch:
        watch.look()
    # A rank may have no window; rank 0 has the first.
    names = world.from_rank_0(names)
    *totals_s, counts_s = terms.over_ranks(world).T
    means = {name: float((total_s / counts_s).mean()) for name, total_s in zip(names, totals_s, strict=True)}
    return Validation(means, float(metric.value(of_metric.over_ranks(world)).mean()) if metric else None)


class _Sums:
    """A row of sums a subject, as wide as the first that is added."""

    def __init__(self, n_subjects: int) -> None:
        self._n_subjects = n_subjects
        self._sums_sk: torch.Tensor | None = None

    def add(self, subject: int, sums_k: torch.Tensor) -> None:
        if self._sums_sk is None:
            self._sums_sk = sums_k.new_zeros(self._n_subjects, len(sums_k))
        self._sums_sk[subject] += sums_k

    def over_ranks(self, world: World) -> torch.Tensor:
        """Add up all ranks, of which some may have had no window."""
        width = world.from_rank_0(0 if self._sums_sk is None else self._sums_sk.shape[1])
        mine_sk = torch.zeros(self._n_subjects, width, dtype=torch.float64, device=world.device) if self._sums_sk is None else self._sums_sk
        return world.sum(mine_sk)


def _judge(model: Model, part: Batch) -> tuple[dict[str, torch.Tensor], torch.Tensor | None]:
    """Terms of the loss, and the prediction, where the loss runs the model on the input as it is, as most losses do."""
    kept: list[torch.Tensor] = []

    def keep(_: nn.Module, given: tuple[object, ...], predicted_bst: torch.Tensor) -> None:
        if given and given[0] is part.input_bct:
            kept.append(predicted_bst)

    hook = model.register_forward_hook(keep)
    terms = model.terms_at(part.input_bct, part.target_bst, part.places)
    hook.remove()
    return terms, kept[-1] if kept else None


def _part(batch: Batch, first: int, last: int) -> Batch:
    """Some neighbouring windows of a batch."""
    places = batch.places[slice(first, last)] if batch.places else None
    return Batch(batch.input_bct[first:last], batch.target_bst[first:last], batch.windows[first:last], places)
