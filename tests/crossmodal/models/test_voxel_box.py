"""Targets lie in the box where they lie in the image."""

import numpy as np
import pytest
import torch

from crossmodal.config.signal_spec import Voxels
from crossmodal.models.voxel_box import VoxelBox
from tests.crossmodal.models.pairs import AFFINE, voxel_pair


@pytest.mark.parametrize("filled", [0.0, 0.3, 1.0])
def test_a_mask_comes_back_from_its_runs(filled):
    mask = np.random.default_rng(0).random((4, 5, 3)) < filled
    space = Voxels.model_validate_json(Voxels.of(mask, AFFINE).model_dump_json())
    np.testing.assert_array_equal(space.mask, mask)


def test_the_box_is_the_image_around_its_targets():
    image = np.zeros((6, 7, 5), dtype=bool)
    image[1:4, 2:7, 3] = image[2, 3, :4] = True
    target = voxel_pair(2, image, 100, 100.0).target
    box, values = VoxelBox(target), np.random.default_rng(0).standard_normal((2, *image.shape)).astype(np.float32)
    assert box.shape == (3, 5, 4)
    y_bs = torch.from_numpy(values[:, image])
    np.testing.assert_array_equal(box.fill(y_bs), (values * image)[:, 1:4, 2:7, :4])
    assert torch.equal(box.take(box.fill(y_bs)), y_bs)


def test_only_voxels_that_are_targets_are_filled():
    target = voxel_pair(2, np.ones((2, 2, 2), dtype=bool), 100, 100.0).target
    box = VoxelBox(target.model_copy(update={"names": ("1", "7")}))
    assert box.shape == (2, 2, 1)
    np.testing.assert_array_equal(box.fill(torch.tensor([[3.0, 4.0]])).squeeze(), [[3, 0], [0, 4]])
