"""The loss counts the brain alone."""

import numpy as np
import torch

from crossmodal.config.models import ModelSettings
from crossmodal.config.signal_spec import Voxels
from crossmodal.models.masked_loss import brain_mask, masked_squared_error
from crossmodal.models.registry import network_spec
from tests.crossmodal.models.pairs import AFFINE, volume_pair, voxel_pair

SMALL = {"channel_width": 4, "widths": (8,), "rank": 2}


def test_it_is_the_published_formula():
    rng = np.random.default_rng(0)
    predicted, truth, mask = rng.standard_normal((4, 10, 1)), rng.standard_normal((4, 10, 1)), (rng.random(10) > 0.5).astype(float)
    masks = np.broadcast_to(mask[None, :, None], truth.shape)
    expected = ((masks * (predicted - truth)) ** 2).sum() / masks.sum()
    found = masked_squared_error(*(torch.from_numpy(array) for array in (predicted, truth, mask)))
    np.testing.assert_allclose(found, expected)


def test_voxels_outside_the_brain_count_for_nothing():
    mask, brain = (np.random.default_rng(seed).random((4, 3, 5)) > 0.4 for seed in (0, 1))
    signals = voxel_pair(5, mask, 40, 100.0)
    target = signals.target.model_copy(update={"space": Voxels.of(mask, AFFINE, brain)})
    np.testing.assert_array_equal(brain_mask(target), brain[mask])
    torch.manual_seed(0)
    model = network_spec(ModelSettings(kind="bricman_fc", **SMALL)).build(signals.model_copy(update={"target": target})).eval()
    x_bct, y_bst = torch.randn(2, 5, 40), torch.randn(2, mask.sum(), 1)
    terms = model.loss_terms(x_bct, y_bst)
    assert terms.keys() == {"masked_mse"}
    y_bst[:, ~brain[mask]] += 100
    assert torch.equal(model.loss_terms(x_bct, y_bst)["masked_mse"], terms["masked_mse"])


def test_of_regions_all_count():
    assert brain_mask(volume_pair(5, 3, 40, 100.0).target).tolist() == [1, 1, 1]
