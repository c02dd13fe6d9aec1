"""Ridges on band power: the plain ridge solution of their features, chosen on validation subjects."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge as ReferenceRidge

from crossmodal.config import UserError
from crossmodal.config.models import ModelSettings
from crossmodal.models.calibrated_band_power_ridge import CalibratedBandPowerRidge, CalibratedBandPowerRidgeConfig
from crossmodal.models.lagged_band_power_ridge import LaggedBandPowerRidge, LaggedBandPowerRidgeConfig
from crossmodal.models.registry import baseline_spec
from crossmodal.models.training_mean import TrainingMean, TrainingMeanConfig
from crossmodal.models.vigilance import Vigilance, VigilanceConfig
from crossmodal.physics.haemodynamics import canonical_response
from tests.crossmodal.models.pairs import volume_pair

PAIR = volume_pair(3, 2, 400, 100.0)


def fitted(model, x_bct, y_bst):
    halves = [model.new_statistics() for _ in range(2)]
    for statistics, part in zip(halves, (slice(0, 20), slice(20, None)), strict=True):
        statistics.accumulate(x_bct[part], y_bst[part])
    model.solve(halves[0] + halves[1], halves[0] + halves[1])
    return model


@pytest.mark.parametrize("penalty", [0.1, 10.0])
@pytest.mark.parametrize("n_windows", [60, 21])
def test_it_is_the_ridge_solution_on_log_band_power(penalty, n_windows):
    """Also where there are fewer windows than features, of which there are 24."""
    torch.manual_seed(0)
    x_bct, y_bst = torch.randn(n_windows, 3, 400), 1000 + 10 * torch.randn(n_windows, 2, 1)
    model = fitted(LaggedBandPowerRidge(LaggedBandPowerRidgeConfig(penalties=(penalty,)), PAIR), x_bct, y_bst)
    features_bp = model.features(x_bct).double().numpy()
    alpha = penalty * features_bp.var(axis=0).mean() * len(features_bp)
    reference = ReferenceRidge(alpha=alpha).fit(features_bp, y_bst[..., 0].numpy())
    others_bct = torch.randn(5, 3, 400)
    for windows_bct in (x_bct, others_bct):
        expected = reference.predict(model.features(windows_bct).double().numpy())
        np.testing.assert_allclose(model(windows_bct)[..., 0], expected, rtol=1e-6)


@pytest.mark.parametrize(("exponent", "gain"), [(0.5, 3.0), (1.0, 9.0)])
def test_features_follow_amplitude_or_power_where_the_exponent_says_so(exponent, gain):
    torch.manual_seed(0)
    x_bct = torch.randn(5, 3, 400)
    config = LaggedBandPowerRidgeConfig(exponent=exponent)
    model = LaggedBandPowerRidge(config, PAIR)
    torch.testing.assert_close(model.features(3 * x_bct), gain * model.features(x_bct))
    assert config.title == f"lagged ridge on band power to the {exponent:g}"


def test_bins_are_summed_by_haemodynamic_responses_where_peaks_are_given():
    x_bct = torch.randn(5, 3, 400, generator=torch.Generator().manual_seed(0))
    config = LaggedBandPowerRidgeConfig(exponent=0.5, peaks_s=(4, 8))
    found = LaggedBandPowerRidge(config, PAIR).features(x_bct).reshape(5, 3, 4, 2)
    bins = LaggedBandPowerRidge(LaggedBandPowerRidgeConfig(exponent=0.5), PAIR).features(x_bct).reshape(5, 3, 4, 2)
    # Two bins of 2 s, whose middles lie 3 and 1 s before the volume; response by response.
    for number, peak_s in enumerate(config.peaks_s):
        early, late = canonical_response(np.array([3.0, 1.0]), peak_s)
        torch.testing.assert_close(found[..., number], early * bins[..., 0] + late * bins[..., 1], rtol=1e-5, atol=1e-7)
    assert config.title == "lagged ridge on band power to the 0.5 through blood"


def test_the_calibrated_one_is_the_ridge_solution_on_power_that_is_standardised_in_each_person():
    torch.manual_seed(0)
    # Electrodes of the second person are three times as loud.
    people = [(gain * torch.randn(40, 3, 400), 1000 + 10 * torch.randn(40, 2, 1)) for gain in (1.0, 3.0)]
    model = CalibratedBandPowerRidge(CalibratedBandPowerRidgeConfig(penalties=(0.1,)), PAIR)
    of_people = []
    for x_bct, y_bst in people:
        statistics = model.new_statistics()
        for part in (slice(0, 20), slice(20, None)):
            statistics.accumulate(x_bct[part], y_bst[part])
        of_people.append(model.of_subject(statistics))
    model.solve(of_people[0] + of_people[1], of_people[0])
    features = [model.features(x_bct).double().numpy() for x_bct, _ in people]
    standard_bp = np.concatenate([(each_bp - each_bp.mean(axis=0)) / each_bp.std(axis=0) for each_bp in features])
    y_bs = torch.cat([y_bst for _, y_bst in people])[..., 0].numpy()
    expected = ReferenceRidge(alpha=0.1 * len(standard_bp)).fit(standard_bp, y_bs).predict(standard_bp)
    said = torch.cat([model.calibrated(own)(x_bct) for own, (x_bct, _) in zip(of_people, people, strict=True)])
    np.testing.assert_allclose(said[..., 0], expected, rtol=1e-5)


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
