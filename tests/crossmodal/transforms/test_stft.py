"""The short-time Fourier transform against SciPy."""

import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crossmodal.config import UserError
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
    stft = Stft(6, 2)
    x_ct = torch.randn(2, 20, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(stft, x_ct)
    assert torch.autograd.gradcheck(lambda x_fm: stft.inverse(x_fm, 20), stft(x_ct).detach().requires_grad_())


@settings(deadline=None)
@given(
    n_times=st.integers(1, 300),
    n_window=st.integers(2, 70),
    hop=st.integers(1, 80),
    window=st.sampled_from(["hamming", "boxcar", "hann"]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
@example(n_times=300, n_window=60, hop=15, window="hann", dtype=torch.float32)
@example(n_times=299, n_window=61, hop=61, window="boxcar", dtype=torch.float64)
def test_it_can_be_undone_where_each_sample_lies_in_a_window(n_times, n_window, hop, window, dtype):
    x_bct = torch.from_numpy(np.random.default_rng(n_times).standard_normal((2, 3, n_times))).to(dtype)
    stft = Stft(n_window, hop, window)
    weight_t = np.zeros(n_times + hop + 2 * n_window)
    for middle in range(0, n_times, hop):
        start = middle + n_window - n_window // 2
        weight_t[start : start + n_window] += scipy.signal.get_window(window, n_window) ** 2
    least = weight_t[n_window : n_window + n_times].min()
    if least < 1e-8:
        with pytest.raises(UserError, match=f"{n_times} samples cannot be recovered from windows of {n_window} with hop {hop}"):
            stft.inverse(stft(x_bct), n_times)
        return
    # Of a spectrum, which the division by a small sum of windows magnifies; and of the sum of windows that overlap.
    rounding = torch.finfo(dtype).eps * (1 / np.sqrt(least) + n_window / hop)
    np.testing.assert_allclose(stft.inverse(stft(x_bct), n_times), x_bct, atol=20 * rounding)


@pytest.mark.parametrize(("n_window", "hop", "window"), [(60, 15, "hann"), (61, 20, "hamming"), (32, 32, "boxcar")])
def test_of_any_spectra_it_makes_scipy_s_signal(n_window, hop, window):
    rng = np.random.default_rng(0)
    x_cfm = rng.standard_normal((3, n_window // 2 + 1, 20)) + 1j * rng.standard_normal((3, n_window // 2 + 1, 20))
    _, expected_ct = scipy.signal.istft(x_cfm, window=window, nperseg=n_window, noverlap=n_window - hop, scaling="spectrum")
    found_ct = Stft(n_window, hop, window).inverse(torch.from_numpy(x_cfm), 19 * hop + 1)
    np.testing.assert_allclose(found_ct[:, : 19 * hop + n_window % 2], expected_ct, atol=1e-10)


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
