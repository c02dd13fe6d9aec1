"""The batch whose loss was not finite is found among those noted, and its largest window is named."""

import numpy as np
import pytest
import torch

from crossmodal.config import UserError
from crossmodal.datasets.feed import Batch
from crossmodal.training.loss_watch import LossWatch
from crossmodal.training.world import World


class Numbers:
    """Samples as large as their numbers, but for one that is not finite."""

    def batches(self, batch_size, order, device="cpu"):
        x_bct = torch.tensor(order, dtype=torch.float32)[:, None, None].expand(-1, 2, 3).clone()
        x_bct[torch.tensor(order == 3), 1, 1] = torch.nan
        yield Batch(-x_bct, torch.zeros(len(order), 1, 1), order)

    def label(self, window):
        return f"window {window}"


@pytest.mark.parametrize(("windows", "largest"), [([5, 9, 7], 9), ([5, 9, 3], 3)])
def test_the_first_batch_that_was_not_finite_is_told_by_its_largest_window(windows, largest):
    watch = LossWatch(Numbers(), epoch=0, world=World())
    watch.note(np.array([1, 2]), torch.ones(2))
    watch.look()
    watch.note(np.array([20, 21]), torch.ones(2))
    watch.note(np.array(windows), torch.tensor([1.0, torch.inf]))
    watch.note(np.array([30, 31]), torch.full((2,), torch.nan))
    with pytest.raises(UserError, match=rf"in epoch 1, at a batch of 3 windows, of which window {largest} has .* that recording$"):
        watch.look()
    watch.look()
