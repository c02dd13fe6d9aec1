"""What training adds to its input has the deviations asked for, and follows from the generator's state."""

import pytest
import torch

from crossmodal.config.training import Augmentation
from crossmodal.training.augmentation import augmented


def test_a_constant_a_channel_and_window_and_noise():
    torch.manual_seed(0)
    added_bct = augmented(torch.zeros(200, 30, 20), Augmentation(offset=0.2, noise=0.001))
    offset_bc = added_bct.mean(2)
    assert offset_bc.std().item() == pytest.approx(0.2, rel=0.05)
    assert offset_bc.mean().item() == pytest.approx(0, abs=0.01)
    assert (added_bct - offset_bc[..., None]).std().item() == pytest.approx(0.001, rel=0.05)


def test_without_it_nothing_is_drawn():
    x_bct, before = torch.zeros(2, 3, 4), torch.get_rng_state()
    assert augmented(x_bct, Augmentation()) is x_bct
    assert torch.equal(torch.get_rng_state(), before)
