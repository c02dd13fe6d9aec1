"""Rates are lowered by whole factors, and never below what is wanted."""

import pytest
import torch

from crossmodal.models.pooled_rate import PooledRate
from tests.crossmodal.models.pairs import sensor_pair


@pytest.mark.parametrize(("sfreq", "factor", "rate_hz"), [(1000.0, 4, 250.0), (512.0, 2, 256.0), (250.0, 1, 250.0), (499.0, 1, 499.0)])
def test_means_are_over_neighbours(sfreq, factor, rate_hz):
    pooled = PooledRate(sensor_pair(2, 1, 42, sfreq).input, 250.0)
    x_bct = torch.randn(3, 2, 42)
    assert (pooled.factor, pooled.sfreq, pooled.n_times) == (factor, rate_hz, 42 // factor)
    expected_bct = x_bct[..., : 42 // factor * factor].unflatten(-1, (-1, factor)).mean(-1)
    torch.testing.assert_close(pooled(x_bct), expected_bct)
