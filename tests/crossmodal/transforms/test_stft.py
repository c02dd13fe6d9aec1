"""The short-time Fourier transform against SciPy."""

import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crossmodal.transforms.stft import Stft


@settings(deadline=None)
@given(
    n_times=st.integers(1, 300),
    n_window=st.integers(2, 70),
    hop=st.integers(1, 80),
    window=st.sampled_from(["hann", "hamming", "boxcar", "blackman"]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
@example(n_times=5, n_window=62, hop=1, window="hann", dtype=torch.float64)
@example(n_times=300, n_window=60, hop=60, window="boxcar", dtype=torch.float32)
def test_it_is_scipy_s_transform(n_times, n_window, hop, window, dtype):
    x_bct = torch.from_numpy(np.random.default_rng(n_times).standard_normal((2, 3, n_times))).to(dtype)
    found = Stft(n_window, hop, window)(x_bct)
    n_windows = len(range(0, n_times, hop))
    assert found.shape == (2, 3, n_window // 2 + 1, n_windows)
    # SciPy shortens its window to a short signal; zeros behind the end change nothing.
    padded = np.pad(x_bct.double().numpy(), ((0, 0), (0, 0), (0, n_window + hop)))
    reference = scipy.signal.ShortTimeFFT(scipy.signal.get_window(window, n_window), hop, fs=1.0, scale_to="magnitude")
    expected = reference.stft(padded, p0=0, p1=n_windows)
    # ShortTimeFFT takes phases at the middle of a window, `stft` and Stft at its start.
    middle = n_window // 2
    starts = np.exp(-2j * np.pi * middle * np.arange(n_window // 2 + 1) / n_window)
    np.testing.assert_allclose(
        found, expected * starts[:, None] if reference.phase_shift is not None else expected, atol=1e-5 if dtype == torch.float32 else 1e-12
    )


def test_gradients_pass():
    assert torch.autograd.gradcheck(Stft(6, 2), torch.randn(2, 20, dtype=torch.float64, requires_grad=True))


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_value_that_is_not_finite_spoils_its_windows_and_no_other(broken):
    x_ct = torch.randn(2, 100)
    x_ct[0, 50], x_ct[1] = broken, 0
    found = Stft(10)(x_ct)
    spoilt_t = ~torch.isfinite(found.abs()).all(dim=-2)
    assert spoilt_t[0, 47:54].all()
    assert not spoilt_t[0, :44].any()
    assert not spoilt_t[0, 57:].any()
    assert found[1].abs().max() == 0
