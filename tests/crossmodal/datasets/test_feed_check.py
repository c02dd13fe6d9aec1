"""A feed that breaks its promise is caught."""

import numpy as np
import pytest
import torch

from crossmodal.config import UserError
from crossmodal.datasets.feed import Batch
from crossmodal.datasets.feed_check import check_feed


class Made:
    """Samples of their numbers, each plus what a broken feed adds."""

    def __init__(self, broken=lambda numbers: 0.0) -> None:
        self.subjects = np.array(["somebody"] * 10)
        self._broken = broken

    def __len__(self) -> int:
        return 10

    def batches(self, batch_size, order, device="cpu"):
        for first in range(0, len(order), batch_size):
            numbers = order[first : first + batch_size]
            x_bct = torch.tensor(numbers, dtype=torch.float32)[:, None, None].expand(-1, 2, 3).clone()
            x_bct[-1] += self._broken(numbers)
            yield Batch(x_bct, x_bct.clone(), numbers)


def test_samples_of_their_numbers_pass():
    check_feed(Made(), np.array([3, 9, 0]))


def test_a_sample_that_depends_on_its_batch_is_named():
    with pytest.raises(UserError, match="Made yields different samples for the same index 9"):
        check_feed(Made(lambda numbers: float(len(numbers) > 1)), np.array([3, 0, 9]))


def test_random_numbers_that_all_samples_share_are_caught():
    rng = np.random.default_rng(0)
    with pytest.raises(UserError, match="index 4"):
        check_feed(Made(lambda numbers: rng.standard_normal()), np.array([4]))
