"""Spectra of one TR each against NumPy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from crossmodal.config import UserError
from crossmodal.transforms.tr_spectra import TrSpectra, standardise_channels


@pytest.mark.parametrize(("sfreq", "tr_s", "n_window"), [(250.0, 2.16, 540), (1000.0, 2.0, 2000), (5000.0, 1.28, 6400), (100.0, 0.29, 29)])
def test_windows_are_as_long_as_published(sfreq, tr_s, n_window):
    assert TrSpectra(sfreq, tr_s, n_frequencies=10).n_window == n_window


@settings(deadline=None)
@given(n_times=st.integers(33, 400), n_frequencies=st.integers(1, 16), dtype=st.sampled_from([torch.float32, torch.float64]))
def test_they_are_the_standardised_magnitudes_of_the_dft(n_times, n_frequencies, dtype):
    x_bct = np.random.default_rng(n_times).standard_normal((2, 5, n_times))
    found = TrSpectra(100.0, 0.33, n_frequencies)(torch.from_numpy(x_bct).to(dtype)).numpy()
    n_trs = n_times // 33
    assert found.shape == (2, 5, n_frequencies, n_trs)
    for tr in range(n_trs):
        magnitude_bcf = np.abs(np.fft.fft(x_bct[..., 33 * tr : 33 * tr + 33]))[..., 1 : n_frequencies + 1]
        expected_bcf = (magnitude_bcf - magnitude_bcf.mean(axis=1, keepdims=True)) / magnitude_bcf.std(axis=1, keepdims=True)
        np.testing.assert_allclose(found[..., tr], expected_bcf, atol=1e-3 if dtype == torch.float32 else 1e-9)


def test_equal_channels_are_zero_and_gradients_pass():
    x_ct = torch.randn(1, 60, dtype=torch.float64).expand(3, -1)
    assert TrSpectra(10.0, 2.0, 5)(x_ct).abs().max() == 0
    x_cfm = torch.randn(3, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(standardise_channels, x_cfm)
    flat_ct = torch.zeros(3, 60, requires_grad=True)
    TrSpectra(10.0, 2.0, 5)(flat_ct).sum().backward()
    assert torch.isfinite(flat_ct.grad).all()


def test_what_is_too_short_is_refused():
    with pytest.raises(UserError, match="a TR of 1 s at 100 Hz holds 50 frequencies and not 134; ask for fewer or resample higher"):
        TrSpectra(100.0, 1.0)
    with pytest.raises(UserError, match="a recording of 199 samples is shorter than one TR, 200 samples; leave it out"):
        TrSpectra(100.0, 2.0, 100)(torch.zeros(3, 199))
