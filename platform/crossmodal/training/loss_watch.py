"""Stop where a loss is no longer finite, and say at which batch."""

import math

import numpy as np
import torch
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.datasets.feed import Feed
from crossmodal.training.world import World


class LossWatch:
    """Notes the losses of an epoch's batches and looks at them when asked: to look at each one would make a GPU wait at each step.

    Parameters
    ----------
    feed : Feed
        What batches are taken from.
    epoch : int
        Counted from 0.
    world : World
    """

    def __init__(self, feed: Feed, epoch: int, world: World) -> None:
        self._feed = feed
        self._epoch = epoch
        self._world = world
        self._noted: list[tuple[NDArray[np.integer], torch.Tensor]] = []

    def note(self, windows: NDArray[np.integer], terms_k: torch.Tensor) -> None:
        """Keep the terms of the loss of some windows for the next look."""
        self._noted.append((windows, terms_k.detach()))

    def look(self) -> None:
        """Look at what was noted since the last look; for all ranks to call after the same steps.

        Raises
        ------
        UserError
            On all ranks: a loss was not finite. Of several the earliest is told, since gradients carry it on to all others.
        """
        noted, self._noted = self._noted, []
        finite_m = torch.stack([terms_k for _, terms_k in noted]).isfinite().all(1).tolist() if noted else []
        step_r = self._world.gather(torch.tensor([finite_m.index(False) if False in finite_m else math.inf], dtype=torch.float64))
        rank, step = int(step_r.argmin()), float(step_r.min())

        def refuse() -> None:
            if self._world.rank == rank:
                raise UserError(self._sentence(noted[int(step)][0]))

        if math.isfinite(step):
            self._world.together(refuse)

    def _sentence(self, windows: NDArray[np.integer]) -> str:
        kept = "; the epochs before it are kept" if self._epoch else ""
        return (
            f"the loss was no longer finite in epoch {self._epoch + 1}, at a batch of {len(windows)} windows, of which"
            f" {self._feed.label(_farthest(self._feed, windows))} has the largest values; lower training.learning_rate or"
            f" training.gradient_clip, or look into that recording{kept}"
        )


def _farthest(feed: Feed, windows: NDArray[np.integer]) -> int:
    """Find the window that holds the largest value, in the model's units; one that is not finite is larger than all."""
    (batch,) = feed.batches(len(windows), windows)
    sizes = [x_bct.abs().nan_to_num(math.inf, math.inf).amax((1, 2)) for x_bct in (batch.input_bct, batch.target_bst)]
    return int(windows[int(torch.maximum(*sizes).argmax())])
