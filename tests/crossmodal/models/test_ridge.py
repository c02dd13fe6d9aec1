"""Ridge regression against the plain least-squares problem it stands for."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge as ReferenceRidge

from crossmodal.models.ridge import Ridge, RidgeConfig
from crossmodal.models.training_mean import TrainingMean, TrainingMeanConfig
from tests.crossmodal.models.pairs import sensor_pair


def design(x_bct, half_length):
    """Lagged inputs, zero outside each window, shape (windows x times, lags x channels)."""
    n_times = x_bct.shape[2]
    padded = np.pad(x_bct, ((0, 0), (0, 0), (half_length, half_length)))
    columns = [padded[..., half_length - lag : half_length - lag + n_times] for lag in range(-half_length, half_length + 1)]
    return np.stack(columns, axis=1).transpose(0, 3, 1, 2).reshape(len(x_bct) * n_times, -1)


@settings(deadline=None, max_examples=25)
@given(half_length=st.integers(0, 4), n_times=st.integers(9, 30), n_input=st.integers(1, 4), penalty=st.sampled_from([1e-4, 1e-2, 1.0]))
def test_it_is_the_ridge_solution_of_the_lagged_design(half_length, n_times, n_input, penalty):
    """About the means of the training windows, with a penalty that doubles at a lag of 5 ms and grows as its square."""
    rng = np.random.default_rng(half_length * 100 + n_times)
    x_bct, y_bst = rng.standard_normal((12, n_input, n_times)), rng.standard_normal((12, 2, n_times))
    x_bct += 5 * rng.standard_normal((n_input, 1))
    y_bst += 5 * rng.standard_normal((2, 1))
    model = Ridge(RidgeConfig(lag_s=half_length / 100, penalties=(penalty,)), sensor_pair(n_input, 2, n_times, 100.0))
    statistics = model.new_statistics()
    for part in (slice(0, 5), slice(5, 12)):
        statistics.accumulate(torch.from_numpy(x_bct[part]), torch.from_numpy(y_bst[part]))
    model.solve(statistics, statistics)
    mean_s1 = y_bst.mean((0, 2))[:, None]
    lagged = design(x_bct - x_bct.mean((0, 2))[:, None], half_length)
    rise_l = 1 + (np.arange(-half_length, half_length + 1) / 100 / 0.005) ** 2
    # A ridge whose columns are scaled down penalises their weights by as much more.
    scaled = lagged / np.sqrt(np.repeat(rise_l, n_input))
    alpha = penalty * np.square(lagged).mean() * len(lagged)
    reference = ReferenceRidge(alpha=alpha, fit_intercept=False).fit(scaled, (y_bst - mean_s1).transpose(0, 2, 1).reshape(-1, 2))
    expected = reference.predict(scaled).reshape(12, n_times, 2).transpose(0, 2, 1) + mean_s1
    np.testing.assert_allclose(model(torch.from_numpy(x_bct).float()), expected, atol=1e-4)


def test_statistics_of_subjects_add_up():
    model = Ridge(RidgeConfig(lag_s=0.02), sensor_pair(3, 2, 20, 100.0))
    x_bct, y_bst = torch.randn(10, 3, 20), torch.randn(10, 2, 20)
    together, first, second = (model.new_statistics() for _ in range(3))
    together.accumulate(x_bct, y_bst)
    first.accumulate(x_bct[:4], y_bst[:4])
    second.accumulate(x_bct[4:], y_bst[4:])
    means = together.means()
    torch.testing.assert_close((first + second).means(), means)
    torch.testing.assert_close(vars((first + second).about(*means)), vars(together.about(*means)))


@pytest.mark.parametrize("lag_s", [0.0, 0.02])
def test_offsets_change_no_prediction(lag_s):
    """Recordings that were not high-passed have them; without an intercept, 5 sd turn the score below zero."""
    torch.manual_seed(0)
    x_bct = torch.randn(40, 6, 50)
    y_bst = 0.5 * x_bct[:, :2] + torch.randn(40, 2, 50)
    predicted = []
    for offset in (0.0, 5.0):
        model = Ridge(RidgeConfig(lag_s=lag_s), sensor_pair(6, 2, 50, 100.0))
        statistics = model.new_statistics()
        statistics.accumulate(x_bct + offset, y_bst - offset)
        model.solve(statistics, statistics)
        predicted.append(model(x_bct + offset) + offset)
    torch.testing.assert_close(predicted[1], predicted[0], atol=1e-3, rtol=1e-3)


def test_a_penalty_that_rises_with_lag_beats_a_flat_one_where_lags_tell_nothing():
    """Instantaneous fields under noise, few minutes: what a network seems to win over a flat penalty is what the penalty loses."""
    rng = np.random.default_rng(0)
    mixing_sc = rng.standard_normal((8, 12))

    def windows(n):
        x_bct = rng.standard_normal((n, 12, 100))
        return torch.from_numpy(x_bct), torch.from_numpy(np.einsum("sc,bct->bst", mixing_sc, x_bct) + 8 * rng.standard_normal((n, 8, 100)))

    training, validation, (x_bct, y_bst) = windows(60), windows(30), windows(200)
    explained = {}
    for lag_s in (0.0, 0.1):
        model = Ridge(RidgeConfig(lag_s=lag_s, penalties=tuple(np.geomspace(1e-6, 10, 15))), sensor_pair(12, 8, 100, 100.0))
        of_training, of_validation = model.new_statistics(), model.new_statistics()
        of_training.accumulate(*training)
        of_validation.accumulate(*validation)
        model.solve(of_training, of_validation)
        explained[lag_s] = float(1 - (y_bst - model(x_bct.float())).square().sum() / y_bst.square().sum())
    # A flat penalty on the lagged taps costs .028 here, the rising one .003.
    assert explained[0.1] > explained[0.0] - 0.01


def test_the_penalty_is_chosen_on_validation_windows():
    torch.manual_seed(0)
    model = Ridge(RidgeConfig(penalties=(1e-6, 10.0)), sensor_pair(30, 1, 10, 100.0))
    training, validation = model.new_statistics(), model.new_statistics()
    training.accumulate(torch.randn(4, 30, 10), torch.randn(4, 1, 10))
    validation.accumulate(torch.randn(200, 30, 10), torch.randn(200, 1, 10))
    model.solve(training, validation)
    strong = model.weight_scl.norm()
    model.solve(training, training)
    assert strong < 0.2 * model.weight_scl.norm()


def test_channels_without_rank_do_not_hurt():
    """EEG under an average reference."""
    torch.manual_seed(0)
    x_bct = torch.randn(50, 8, 40)
    x_bct = x_bct - x_bct.mean(1, keepdim=True)
    y_bst = x_bct[:, :2] * 2
    model = Ridge(RidgeConfig(lag_s=0.02, penalties=(1e-6,)), sensor_pair(8, 2, 40, 100.0))
    statistics = model.new_statistics()
    statistics.accumulate(x_bct, y_bst)
    model.solve(statistics, statistics)
    torch.testing.assert_close(model(x_bct), y_bst, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("split", [1, 5])
def test_training_mean_is_the_mean_per_sensor_and_time(split):
    y_bst = torch.randn(9, 2, 7)
    model = TrainingMean(TrainingMeanConfig(), sensor_pair(3, 2, 7, 100.0))
    parts = [model.new_statistics(), model.new_statistics()]
    for statistics, windows in zip(parts, (y_bst[:split], y_bst[split:]), strict=True):
        statistics.accumulate(torch.zeros(len(windows), 3, 7), windows)
    model.solve(parts[0] + parts[1], parts[0] + parts[1])
    torch.testing.assert_close(model(torch.randn(2, 3, 7)), y_bst.mean(0).expand(2, -1, -1))


def test_training_mean_keeps_a_response_and_not_the_chance_of_few_windows():
    torch.manual_seed(0)
    response_st = torch.linspace(-1, 1, 50).repeat(4, 1)
    predicted = {}
    for gain in (0.0, 1.0):
        model = TrainingMean(TrainingMeanConfig(), sensor_pair(3, 4, 50, 100.0))
        training, validation = model.new_statistics(), model.new_statistics()
        for statistics in (training, validation):
            statistics.accumulate(torch.zeros(20, 3, 50), 5 + gain * response_st + torch.randn(20, 4, 50))
        model.solve(training, validation)
        predicted[gain] = model.mean_st
    assert (predicted[1.0] - 5 - response_st).square().mean() < 0.1
    assert predicted[0.0].var(dim=1).mean() < 0.3 / 20
