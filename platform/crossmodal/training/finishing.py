"""What validation subjects settle once a model is trained: training subjects cannot, since the model has learned them."""

from collections.abc import Iterator

import numpy as np
import torch

from crossmodal.datasets.feed import Batch, Feed, with_places
from crossmodal.models.base import Model, Shrunk, Uncertain


@torch.no_grad()
def finish(model: Model, validation: Feed, batch_size: int, device: torch.device) -> None:
    """Let validation subjects choose how far a model shrinks what it says, and then how wide the intervals around that are.

    Models that do neither stay as they are.
    """

    def batches() -> Iterator[Batch]:
        return with_places(validation, validation.batches(batch_size, np.arange(len(validation)), device), model.uses_places)

    model.eval()
    if isinstance(model, Shrunk):
        model.shrinkage.fit((model.run(batch.input_bct, batch.places), batch.target_bst) for batch in batches())
    if isinstance(model, Uncertain):
        model.intervals.fit((*model.run_with_deviation(batch.input_bct, batch.places), batch.target_bst) for batch in batches())
