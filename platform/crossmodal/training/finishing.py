"""What validation subjects settle once a model is trained: training subjects cannot, since the model has learned them."""

import numpy as np
import torch

from crossmodal.datasets.feed import Feed, with_places
from crossmodal.models.base import Model, Shrunk


@torch.no_grad()
def finish(model: Model, validation: Feed, batch_size: int, device: torch.device) -> None:
    """Let validation subjects choose how far a model shrinks what it says, if it is one that shrinks; other models stay as they are."""
    if not isinstance(model, Shrunk):
        return
    model.eval()
    batches = validation.batches(batch_size, np.arange(len(validation)), device)
    batches = with_places(validation, batches) if model.uses_places else batches
    model.shrinkage.fit((model.run(batch.input_bct, batch.places), batch.target_bst) for batch in batches)
