"""Where training, validation and evaluation take their samples from: shards are one feed, a simulator another."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from crossmodal.physics.places import Places


@dataclass(frozen=True)
class Batch:
    """Windows in a model's units.

    Attributes
    ----------
    input_bct : Tensor, shape (batch, n_input, n_times)
    target_bst : Tensor, shape (batch, n_target, n_times), or (batch, n_target, 1) where volumes are predicted
    windows : int array, shape (batch,)
        Numbers of the samples in the feed.
    places : Places or None
        Where the sensors and heads of their subjects are, for models that use it.
    """

    input_bct: torch.Tensor
    target_bst: torch.Tensor
    windows: NDArray[np.integer]
    places: Places | None = None


class Feed(Protocol):
    """Samples by their numbers.

    The same number gives the same sample, in every bit, on any worker and however often it is asked for: that is what lets workers share an
    epoch, and an epoch go on in its middle.

    Attributes
    ----------
    subjects : str array, shape (n,)
        Whose each sample is; each subject counts alike in a validation loss.
    """

    subjects: NDArray[np.str_]

    def __len__(self) -> int:
        """Number of samples."""

    def batches(self, batch_size: int, order: NDArray[np.integer], device: torch.device | str = "cpu", /) -> Iterator[Batch]:
        """Yield the samples of these numbers, in their order, as batches on a device; the last batch takes what remains.

        A batch's memory may be used again after the next one was asked for.
        """

    def places(self, windows: NDArray[np.integer], /) -> Places:
        """Tell where the sensors and heads of the subjects of these samples are, on the CPU."""

    def label(self, window: int, /) -> str:
        """Say which recording a sample is of, and which part of it, for sentences."""


def with_places(feed: Feed, batches: Iterable[Batch], wanted: bool) -> Iterator[Batch]:
    """Add to batches of a feed the places of their subjects, on the device of the batch, where a model wants them."""
    for batch in batches:
        yield replace(batch, places=feed.places(batch.windows).to(batch.input_bct.device)) if wanted else batch


def epoch_order(n_windows: int, seed: int, epoch: int, rank: int, size: int) -> NDArray[np.int64]:
    """Shuffle the windows as (seed, epoch) says, and deal ranks equally many; where that does not go up, the first ones twice."""
    shuffled = np.random.default_rng([seed, epoch]).permutation(n_windows)
    return np.resize(shuffled, -(-n_windows // size) * size)[rank::size]
