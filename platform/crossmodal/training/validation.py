"""The loss that decides which epoch is kept, term by term."""

import numpy as np
import torch

from crossmodal.config.training import Training
from crossmodal.datasets.feed import Feed
from crossmodal.models.base import Model
from crossmodal.training.world import World, autocast


@torch.no_grad()
def validation_terms(model: Model, feed: Feed, training: Training, world: World) -> dict[str, float]:
    """Mean over subjects of each one's mean loss over windows, so that a long recording weighs no more than a short one, term by term.

    Ranks share the windows; sums are added in the order of ranks, so that a repetition agrees in every bit.
    """
    model.eval()
    subjects, codes = np.unique(feed.subjects, return_inverse=True)
    order = np.argsort(codes, kind="stable")[world.rank :: world.size]
    names: tuple[str, ...] = ()
    sums_sk: torch.Tensor | None = None
    for batch in feed.batches(training.batch_size, order, world.device):
        batch_codes = codes[batch.windows]
        for code in np.unique(batch_codes):
            first, last = np.searchsorted(batch_codes, [code, code + 1])
            with autocast(training, world):
                terms = model.loss_terms(batch.input_bct[first:last], batch.target_bst[first:last])
            if sums_sk is None:
                names, sums_sk = tuple(terms), _no_sums(len(subjects), len(terms), world)
            counted_k = torch.stack([*(term.double() for term in terms.values()), sums_sk.new_ones(())])
            sums_sk[code] += counted_k * float(last - first)
    # A rank may have no window; rank 0 has the first.
    names = world.from_rank_0(names)
    *totals_s, counts_s = world.sum(_no_sums(len(subjects), len(names), world) if sums_sk is None else sums_sk).T
    return {name: float((total_s / counts_s).mean()) for name, total_s in zip(names, totals_s, strict=True)}


def _no_sums(n_subjects: int, n_terms: int, world: World) -> torch.Tensor:
    """A row a subject, a column a term; the last one counts windows."""
    return torch.zeros(n_subjects, n_terms + 1, dtype=torch.float64, device=world.device)
