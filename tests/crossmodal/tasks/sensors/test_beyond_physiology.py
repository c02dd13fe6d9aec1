"""What EOG and ECG leave, against a regression of whole arrays."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression

from crossmodal.tasks.sensors.beyond_physiology import BeyondPhysiology


class Windows:
    """EOG and ECG in memory."""

    def __init__(self, z_bct):
        self.z_bct = z_bct
        self.names = tuple(f"EOG{channel}" for channel in range(z_bct.shape[1]))

    def read(self, chosen):
        return torch.from_numpy(self.z_bct[chosen])


def lagged(z_bct, half_length):
    """Regressors of all windows one after another, zero outside each."""
    n_times = z_bct.shape[2]
    padded = np.pad(z_bct, ((0, 0), (0, 0), (half_length, half_length)))
    shifted = [padded[..., lag : lag + n_times] for lag in range(2 * half_length + 1)]
    return np.concatenate(shifted, axis=1).transpose(0, 2, 1).reshape(len(z_bct) * n_times, -1)


def residual(regressors_np, y_bst):
    y_ns = y_bst.transpose(0, 2, 1).reshape(len(regressors_np), -1)
    return y_ns - LinearRegression().fit(regressors_np, y_ns).predict(regressors_np)


@pytest.mark.parametrize("half_length", [0, 3])
def test_it_is_the_score_of_residuals_of_truth_and_prediction(half_length):
    rng = np.random.default_rng(half_length)
    z_bct, noise_bst = rng.standard_normal((12, 2, 40)), rng.standard_normal((12, 3, 40))
    truth_bst = 1e-13 * (5 + np.einsum("sc,bct->bst", rng.standard_normal((3, 2)), z_bct) + noise_bst)
    predicted = {"mean": np.full_like(truth_bst, 5e-13), "half": 5e-13 + 0.5e-13 * noise_bst}
    beyond = BeyondPhysiology(Windows(z_bct), half_length)
    for rows in (np.arange(5), np.arange(5, 12)):
        beyond.add(rows, truth_bst[rows], {name: y_bst[rows] for name, y_bst in predicted.items()})
    regressors = lagged(z_bct, half_length)
    left = {name: residual(regressors, truth_bst) - residual(regressors, y_bst) for name, y_bst in predicted.items()}
    expected = 1 - np.square(left["half"][:, :2]).sum() / np.square(left["mean"][:, :2]).sum()
    assert beyond.explained_variance("half", "mean", slice(0, 2)) == pytest.approx(expected, abs=1e-9)
    assert 0.7 < expected < 0.8


def test_a_channel_that_is_there_twice_changes_nothing():
    rng = np.random.default_rng(0)
    eog_bct = rng.standard_normal((6, 1, 50))
    truth_bst = eog_bct + rng.standard_normal((6, 1, 50))
    predicted = {"mean": np.zeros_like(truth_bst), "some": 0.5 * truth_bst}
    scores = []
    for z_bct in (eog_bct, np.repeat(eog_bct, 2, axis=1)):
        beyond = BeyondPhysiology(Windows(z_bct), 2)
        beyond.add(np.arange(6), truth_bst, predicted)
        scores.append(beyond.explained_variance("some", "mean", slice(None)))
    assert scores[1] == pytest.approx(scores[0], abs=1e-9)
