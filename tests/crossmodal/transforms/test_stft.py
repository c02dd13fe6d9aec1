"""The short-time Fourier transform against SciPy."""

import numpy as np
import pytest
import scipy.signal
import torch

from crossmodal.transforms.stft import Stft


@pytest.mark.parametrize("n_window", [2, 16, 62])
@pytest.mark.parametrize("n_times", [5, 100])
def test_it_is_scipy_s_transform_at_every_sample(n_window, n_times):
    x_bct = np.random.default_rng(0).standard_normal((2, 3, n_times))
    found = Stft(n_window)(torch.from_numpy(x_bct))
    assert found.shape == (2, 3, n_window // 2 + 1, n_times)
    padded = np.pad(x_bct, ((0, 0), (0, 0), (0, n_window)))
    *_, expected = scipy.signal.stft(padded, nperseg=n_window, noverlap=n_window - 1, window="hann", boundary="zeros", padded=False)
    np.testing.assert_allclose(found, expected[..., :n_times], atol=1e-12)
