"""Log spectra of windows are those of NumPy, and the last window ends with the signal."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import get_window

from crossmodal.transforms.window_spectra import WindowSpectra


@given(n_window=st.integers(2, 40), n_windows=st.integers(1, 4), seed=st.integers(0, 100))
def test_it_is_the_log_magnitude_of_hann_windows(n_window, n_windows, seed):
    rng = np.random.default_rng(seed)
    n_times = n_window * n_windows + int(rng.integers(0, n_window))
    x_ct, n_frequencies = rng.standard_normal((3, n_times)), int(rng.integers(1, n_window // 2 + 1))
    window_w = get_window("hann", n_window)
    window_w /= np.sqrt((window_w**2).sum())
    windows_cmw = x_ct[:, n_times - n_window * n_windows :].reshape(3, n_windows, n_window)
    expected = np.log(np.maximum(np.abs(np.fft.rfft(windows_cmw * window_w))[..., 1 : n_frequencies + 1], 1e-6))
    found = WindowSpectra(n_window, n_frequencies, n_times)(torch.tensor(x_ct, dtype=torch.float32))
    np.testing.assert_allclose(found, expected, atol=2e-3)


@pytest.mark.parametrize("n_window", [50, 200])
def test_white_noise_has_one_level_whatever_the_length_of_windows(n_window):
    x_ct = torch.randn(8, 20_000, generator=torch.Generator().manual_seed(0))
    power = WindowSpectra(n_window, n_window // 2 - 1, 20_000)(x_ct).mul(2).exp().mean()
    assert power.item() == pytest.approx(1, rel=0.03)
