"""A test of a feed: whether a sample is the same however it is asked for."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.datasets.feed import Feed


def check_feed(feed: Feed, indices: NDArray[np.integer]) -> None:
    """Read samples together and in their order, then one by one and backwards, and compare every bit.

    Raises
    ------
    UserError
        A sample differs; the sentence gives its index.
    """
    together = {index: sample for index, *sample in _samples(feed, indices, len(indices))}
    for index, *sample in _samples(feed, indices[::-1].copy(), 1):
        if not all(torch.equal(one, other) for one, other in zip(sample, together[index], strict=True)):
            raise UserError(
                f"{type(feed).__name__} yields different samples for the same index {index}: a sample may depend on its index and on the"
                " feed's settings alone, not on its batch, on what was read before or on shared random numbers"
            )


def _samples(feed: Feed, order: NDArray[np.integer], batch_size: int) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
    """Index, input and target; copies, since a batch's memory may be used again."""
    for batch in feed.batches(batch_size, order):
        for index, input_ct, target_st in zip(batch.windows, batch.input_bct, batch.target_bst, strict=True):
            yield int(index), input_ct.clone(), target_st.clone()
