"""Noise of BOLD has the autocorrelation, smoothness and size that its settings say."""

import numpy as np
import pytest

from crossmodal.config.coupling import BoldNoise
from preprocessing.simulated.bold_noise import draw_noise

SETTINGS = BoldNoise(autocorrelation_s=4.0, coloured_share=0.7, fwhm_mm=10.0, global_share=0.2, slow_percent=0.0)
VOXEL_MM, TR_S = 3.0, 2.0


@pytest.fixture(scope="module")
def noise():
    return draw_noise(SETTINGS, (14, 14, 14, 400), VOXEL_MM, TR_S, 2.0, np.random.default_rng(0))


def correlation(one, other):
    """Mean over voxels of the correlation over volumes."""
    return np.mean((one * other).mean(axis=-1) / np.sqrt((one**2).mean(axis=-1) * (other**2).mean(axis=-1)))


def test_size_and_autocorrelation(noise):
    assert noise.std() == pytest.approx(0.02, rel=0.05)
    for lag in (1, 2, 3):
        assert correlation(noise[..., lag:], noise[..., :-lag]) == pytest.approx(0.7 * np.exp(-lag * TR_S / 4.0), abs=0.04)


def test_correlation_in_space(noise):
    variance = (SETTINGS.fwhm_mm / np.sqrt(8 * np.log(2))) ** 2
    for voxels in (1, 2, 3):
        expected = 0.2 + 0.8 * np.exp(-((voxels * VOXEL_MM) ** 2) / (4 * variance))
        assert correlation(noise[voxels:], noise[:-voxels]) == pytest.approx(expected, abs=0.04)
    # On the other side of the image there is nothing but what all voxels share.
    assert correlation(noise[:7], noise[7:]) == pytest.approx(0.2, abs=0.06)


def test_slow_drifts_are_as_large_as_asked_and_slow():
    settings = SETTINGS.model_copy(update={"slow_percent": 0.5, "slow_s": 40.0, "fwhm_mm": 0.0})
    drift = draw_noise(settings, (10, 10, 10, 300), VOXEL_MM, TR_S, 0.0, np.random.default_rng(1))
    assert drift.std() == pytest.approx(0.005, rel=0.1)
    assert correlation(drift[..., 1:], drift[..., :-1]) > 0.99
