"""The spectrogram U-Net reads 20 steps of 249 frequencies, and its slices are those of the voxels' box."""

import numpy as np
import pytest
import torch

from crossmodal.config import UserError
from crossmodal.config.models import ModelSettings
from crossmodal.models.registry import network_spec
from tests.crossmodal.models.pairs import volume_pair, voxel_pair


def test_a_spectrogram_is_twenty_steps_of_249_frequencies_and_becomes_slices():
    model = network_spec(ModelSettings(kind="spectrogram_unet")).build(voxel_pair(6, np.ones((64, 64, 30), dtype=bool), 10_000, 500.0))
    spectra_bmcf = model.spectra(torch.zeros(2, 6, 10_000))
    assert spectra_bmcf.shape == (2, 20, 6, 249)
    assert (model.padded, model.head.out_channels) == ((64, 64), 30)


@torch.no_grad()
def test_of_a_mask_the_voxels_of_each_slice_are_taken_where_they_lie():
    mask = np.random.default_rng(0).random((6, 5, 4)) > 0.5
    torch.manual_seed(0)
    small = {"steps": 4, "front_width": 4, "widths": (4, 8)}
    model = network_spec(ModelSettings(kind="spectrogram_unet", **small)).build(voxel_pair(5, mask, 400, 100.0)).eval()
    slices = []
    model.head.register_forward_hook(lambda _, __, output: slices.append(output))
    y_bst = model(torch.randn(2, 5, 400))
    box = [slice(places.min(), places.max() + 1) for places in np.nonzero(mask)]
    volume_bxyz = slices[0].permute(0, 2, 3, 1)[:, : box[0].stop - box[0].start, : box[1].stop - box[1].start]
    np.testing.assert_array_equal(y_bst[..., 0], volume_bxyz[:, mask[tuple(box)]])


def test_a_window_too_short_for_its_steps_is_refused():
    with pytest.raises(
        UserError, match=r"^model\.steps: a window of 40 samples has no 30 steps of 2 or more; ask for fewer or lengthen data\."
    ):
        network_spec(ModelSettings(kind="spectrogram_unet", steps=30)).build(volume_pair(5, 3, 40, 100.0))
