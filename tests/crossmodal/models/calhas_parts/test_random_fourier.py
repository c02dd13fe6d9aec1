"""Random Fourier features estimate a Gaussian kernel, and learn how wide it is."""

import math

import pytest
import torch

from crossmodal.models.calhas_parts.random_fourier import RandomFourierFeatures


def test_products_of_features_are_a_gaussian_kernel():
    torch.manual_seed(0)
    features, x_bi = RandomFourierFeatures(5, 100_000, layer_norm=False), torch.randn(6, 5)
    with torch.no_grad():
        features.sigma.fill_(1.3)
        found_bb = 2 / 100_000 * features(x_bi) @ features(x_bi).T
    torch.testing.assert_close(found_bb, (-torch.cdist(x_bi, x_bi).square() / (2 * 1.3**2)).exp(), atol=0.015, rtol=0)


def test_angles_have_the_paper_s_mean_and_deviation():
    torch.manual_seed(0)
    features, x_bi = RandomFourierFeatures(343, 343), torch.randn(1, 343)
    assert features.sigma.item() == pytest.approx(math.sqrt(343 / 2))
    raw = x_bi @ features.weight_io / features.sigma + features.bias_o
    angle = (raw - raw.mean()) / raw.std(correction=0) * math.pi / 2 + math.pi / 2
    torch.testing.assert_close(features(x_bi), angle.cos(), atol=1e-4, rtol=1e-4)
    features(x_bi).sum().backward()
    assert features.sigma.grad != 0
    assert [name for name, _ in features.named_parameters()] == ["sigma"]
