"""Drawn angles have the moments, and the gradients of moments, of the distribution that SciPy knows."""

import numpy as np
import pytest
import torch
from scipy import stats

from crossmodal.models.calhas_parts.von_mises import divergence_from_uniform, expected_directions, sampled_directions


def natural(kappa, mu=0.7):
    return torch.tensor([kappa * np.cos(mu), kappa * np.sin(mu)], dtype=torch.float32, requires_grad=True)


@pytest.mark.parametrize("kappa", [0.01, 0.3, 4.0, 200.0])
def test_moments_are_scipy_s(kappa):
    torch.manual_seed(0)
    mean = expected_directions(natural(kappa)).detach()
    length = stats.vonmises(kappa).expect(np.cos)
    np.testing.assert_allclose(mean, [length * np.cos(0.7), length * np.sin(0.7)], atol=1e-4)
    drawn = sampled_directions(natural(kappa).expand(20_000, 2)).detach()
    torch.testing.assert_close(drawn.square().sum(1), torch.ones(20_000))
    np.testing.assert_allclose(drawn.mean(0), mean, atol=0.015)


def test_gradients_of_drawn_angles_are_those_of_their_mean():
    torch.manual_seed(0)
    drawn, expected = natural(2.0), natural(2.0)
    sampled_directions(drawn.expand(20_000, 2)).mean(0)[0].backward()
    expected_directions(expected)[0].backward()
    torch.testing.assert_close(drawn.grad, expected.grad, atol=0.02, rtol=0)


@pytest.mark.parametrize("kappa", [0.01, 0.3, 4.0, 200.0])
def test_the_divergence_is_that_from_a_uniform_angle(kappa):
    expected = np.log(2 * np.pi) - stats.vonmises(kappa).entropy()
    assert divergence_from_uniform(natural(kappa)).item() == pytest.approx(expected, abs=1e-4)
