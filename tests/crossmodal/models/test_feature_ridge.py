"""Ridges on band power: the plain ridge solution of their features, chosen on validation subjects."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge as ReferenceRidge

from crossmodal.config import UserError
from crossmodal.config.models import ModelSettings
from crossmodal.models.lagged_band_power_ridge import LaggedBandPowerRidge, LaggedBandPowerRidgeConfig
from crossmodal.models.registry import baseline_spec
from crossmodal.models.training_mean import TrainingMean, TrainingMeanConfig
from crossmodal.models.vigilance import Vigilance, VigilanceConfig
from tests.crossmodal.models.pairs import volume_pair

PAIR = volume_pair(3, 2, 400, 100.0)


def fitted(model, x_bct, y_bst):
    halves = [model.new_statistics() for _ in range(2)]
    for statistics, part in zip(halves, (slice(0, 20), slice(20, None)), strict=True):
        statistics.accumulate(x_bct[part], y_bst[part])
    model.solve(halves[0] + halves[1], halves[0] + halves[1])
    return model


@pytest.mark.parametrize("penalty", [0.1, 10.0])
def test_it_is_the_ridge_solution_on_log_band_power(penalty):
    torch.manual_seed(0)
    x_bct, y_bst = torch.randn(60, 3, 400), 1000 + 10 * torch.randn(60, 2, 1)
    model = fitted(LaggedBandPowerRidge(LaggedBandPowerRidgeConfig(penalties=(penalty,)), PAIR), x_bct, y_bst)
    features_bp = model.features(x_bct).double().numpy()
    alpha = penalty * features_bp.var(axis=0).mean() * len(features_bp)
    expected = ReferenceRidge(alpha=alpha).fit(features_bp, y_bst[..., 0].numpy()).predict(features_bp)
    np.testing.assert_allclose(model(x_bct)[..., 0], expected, rtol=1e-6)


def test_vigilance_is_one_number_a_bin_that_alpha_raises_and_theta_lowers():
    model = Vigilance(VigilanceConfig(), PAIR)
    time_s = torch.arange(400) / 100
    noise_ct = 0.1 * torch.randn(3, 400, generator=torch.Generator().manual_seed(0))
    alpha, theta = (torch.sin(2 * np.pi * frequency * time_s) for frequency in (10, 6))
    (rest, awake, drowsy) = model.features(torch.stack([noise_ct, noise_ct + alpha, noise_ct + theta]))
    assert rest.shape == (2,)
    assert (awake > rest).all()
    assert (drowsy < rest).all()


def test_vigilance_needs_its_bands():
    with pytest.raises(UserError, match="vigilance must name alpha and theta, not alpha"):
        baseline_spec(ModelSettings(kind="vigilance", bands_hz={"alpha": (8, 13)})).build(PAIR)


def test_the_mean_of_volumes_is_no_change():
    y_bst = torch.randn(60, 2, 1)
    model = fitted(TrainingMean(TrainingMeanConfig(), PAIR), torch.zeros(60, 3, 400), y_bst)
    torch.testing.assert_close(model(torch.zeros(5, 3, 400)), y_bst.mean(0).expand(5, -1, -1))
