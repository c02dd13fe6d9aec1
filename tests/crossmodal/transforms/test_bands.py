"""Band amplitude against PyWavelets, at the full rate and at every k-th sample."""

import numpy as np
import pytest
import pywt
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crossmodal.config import UserError
from crossmodal.transforms.bands import BandAmplitude
from crossmodal.transforms.cwt import log_spaced_frequencies

SFREQ = 100.0
FREQUENCIES_HZ = log_spaced_frequencies(60, 1.0, 100.0, SFREQ)
BANDS_HZ = {"alpha": (8.0, 13.0), "beta": (13.0, 30.0), "gamma": (30.0, 100.0)}


def reference(x_ct, wavelet="cmor1.5-1.0", frequencies_hz=FREQUENCIES_HZ):
    scales = pywt.central_frequency(wavelet) * SFREQ / frequencies_hz
    amplitude_fct = np.abs(pywt.cwt(x_ct, scales, wavelet, axis=-1)[0])
    return [amplitude_fct[(frequencies_hz >= low) & (frequencies_hz <= high)].mean(axis=0) for low, high in BANDS_HZ.values()]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-6)])
@pytest.mark.parametrize("unit", [1e-25, 1.0, 1e25])
@pytest.mark.parametrize("wavelet", ["cmor1.5-1.0", "mexh"])
def test_it_is_the_mean_over_the_band_s_frequencies(dtype, tolerance, unit, wavelet):
    """In any unit: what is squared on the way stays in float32's range."""
    x_ct = np.random.default_rng(0).standard_normal((3, 5000))
    found = BandAmplitude(BANDS_HZ, FREQUENCIES_HZ, SFREQ, wavelet)(torch.from_numpy(unit * x_ct).to(dtype))
    assert found.dtype == dtype
    np.testing.assert_allclose(found / unit, np.stack(reference(x_ct, wavelet), axis=1), atol=3 * tolerance)


@settings(max_examples=25, deadline=None)
@given(n_times=st.integers(1, 9000), ks=st.tuples(*[st.integers(1, 12)] * 3))
@example(n_times=9000, ks=(8, 4, 2))
@example(n_times=5, ks=(7, 11, 1))
def test_every_k_th_sample_is_that_of_the_full_rate(n_times, ks):
    x_ct = torch.from_numpy(np.random.default_rng(n_times).standard_normal((2, n_times)))
    found = BandAmplitude(BANDS_HZ, FREQUENCIES_HZ, SFREQ, every=dict(zip(BANDS_HZ, ks, strict=True))).by_band(x_ct)
    full_cbt = BandAmplitude(BANDS_HZ, FREQUENCIES_HZ, SFREQ)(x_ct)
    for band, (name, k) in enumerate(zip(BANDS_HZ, ks, strict=True)):
        np.testing.assert_allclose(found[name], full_cbt[:, band, ::k], atol=1e-12)


def test_bands_of_one_rate_stack_and_of_several_do_not():
    x_ct = torch.randn(2, 3, 1000)
    assert BandAmplitude(BANDS_HZ, FREQUENCIES_HZ, SFREQ, every=dict.fromkeys(BANDS_HZ, 3))(x_ct).shape == (2, 3, 3, 334)
    assert BandAmplitude(BANDS_HZ, FREQUENCIES_HZ, SFREQ)(x_ct[:0]).shape == (0, 3, 3, 1000)
    with pytest.raises(AssertionError, match="use by_band"):
        BandAmplitude(BANDS_HZ, FREQUENCIES_HZ, SFREQ, every={"alpha": 3})(x_ct)


def test_what_aliases_is_as_stated():
    """Share of the variance of the band amplitude of white noise above the Nyquist frequency of the stated k, at 250 Hz."""
    frequencies_hz = np.geomspace(1, 100, 32)
    x_ct = torch.from_numpy(np.random.default_rng(0).standard_normal((20, 20_000)))
    amplitude_cbt = BandAmplitude(BANDS_HZ, frequencies_hz, 250.0)(x_ct).numpy()
    spectrum_bw = (np.abs(np.fft.rfft(amplitude_cbt - amplitude_cbt.mean(axis=-1, keepdims=True))) ** 2).mean(axis=0)
    for power_w, k, at_most in zip(spectrum_bw, (8, 4, 2), (0.0018, 0.00045, 0.00045), strict=True):
        assert power_w[len(power_w) // k :].sum() / power_w.sum() < at_most


def test_a_row_that_is_not_finite_spoils_no_other():
    x_ct = np.random.default_rng(0).standard_normal((4, 9000))
    x_ct[1], x_ct[2], x_ct[3, 4000] = 0, np.nan, np.inf
    found = BandAmplitude(BANDS_HZ, FREQUENCIES_HZ, SFREQ, every={"alpha": 4}).by_band(torch.from_numpy(x_ct))
    for amplitude_ct, k, expected_ct in zip(found.values(), (4, 1, 1), reference(x_ct[:2]), strict=True):
        np.testing.assert_allclose(amplitude_ct[:2], expected_ct[:, ::k], atol=1e-10)
        assert not torch.isfinite(amplitude_ct[2:]).any()


def test_gradients_pass_and_silence_has_none():
    x_ct = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 50)))
    x_ct[1] = 0
    bands = BandAmplitude({"beta": (13.0, 30.0)}, FREQUENCIES_HZ, SFREQ, every={"beta": 3})
    assert bands(x_ct)[1].abs().max() == 0
    x_ct.requires_grad_()
    bands(x_ct).sum().backward()
    assert torch.isfinite(x_ct.grad).all()
    assert torch.autograd.gradcheck(bands, x_ct[:1].detach().requires_grad_())


def test_what_cannot_be_computed_is_refused():
    with pytest.raises(UserError, match="'gamma' holds no wavelet frequency below 25 Hz"):
        BandAmplitude({"gamma": (30.0, 100.0)}, log_spaced_frequencies(60, 1.0, 100.0, 50.0), 50.0)
    for wrong in ({"delta": 2}, {"alpha": 0}):
        with pytest.raises(UserError, match="is not a band and a positive number of samples; the bands are alpha, beta, gamma"):
            BandAmplitude(BANDS_HZ, FREQUENCIES_HZ, SFREQ, every=wrong)
