"""The loss that decides which epoch is kept."""

import numpy as np
import torch

from crossmodal.config.training import Training
from crossmodal.datasets.batches import BatchReader, iterate
from crossmodal.models.base import Model
from crossmodal.training.world import World, autocast


@torch.no_grad()
def validation_loss(model: Model, reader: BatchReader, training: Training, world: World) -> float:
    """Mean over subjects of each one's mean loss over windows, so that a long recording weighs no more than a short one.

    Ranks share the windows; sums are added in the order of ranks, so that a repetition agrees in every bit.
    """
    model.eval()
    subjects, codes = np.unique(reader.subjects, return_inverse=True)
    order = np.argsort(codes, kind="stable")[world.rank :: world.size]
    sums = torch.zeros(len(subjects), 2, dtype=torch.float64, device=world.device)
    for batch in iterate(reader, training.batch_size, order, world.device):
        batch_codes = codes[batch.windows]
        for code in np.unique(batch_codes):
            first, last = np.searchsorted(batch_codes, [code, code + 1])
            with autocast(training, world):
                loss = model.loss(batch.source_bct[first:last], batch.target_bst[first:last])
            sums[code] += torch.stack([loss.double(), loss.new_ones((), dtype=torch.float64)]) * float(last - first)
    totals, counts = world.sum(sums).T
    return float((totals / counts).mean())
