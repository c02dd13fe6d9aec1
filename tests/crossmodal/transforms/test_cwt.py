"""The torch wavelet transform against PyWavelets."""

import numpy as np
import pytest
import pywt
import torch

from crossmodal.config import UserError
from crossmodal.transforms.bands import BandAmplitude
from crossmodal.transforms.cwt import Cwt, log_spaced_frequencies

SFREQ = 100.0


def reference(x_ct, frequencies_hz, wavelet):
    scales = pywt.central_frequency(wavelet) * SFREQ / frequencies_hz
    wavelets_fct, _ = pywt.cwt(x_ct, scales, wavelet, axis=-1)
    return wavelets_fct.transpose(1, 0, 2)


@pytest.mark.parametrize("wavelet", ["cmor1.5-1.0", "mexh", "gaus2"])
@pytest.mark.parametrize("n_times", [1, 30, 501, 2000])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_it_is_pywavelets_transform(wavelet, n_times, dtype, tolerance):
    """Relative to each scale's rms, shorter and longer than the longest kernel."""
    x_ct = np.random.default_rng(0).standard_normal((2, n_times))
    frequencies_hz = log_spaced_frequencies(12, 1.0, 100.0, SFREQ)
    expected_cft = reference(x_ct, frequencies_hz, wavelet)
    found_cft = Cwt(frequencies_hz, SFREQ, wavelet)(torch.from_numpy(x_ct).to(dtype)).numpy()
    assert found_cft.shape == expected_cft.shape
    rms_f = np.sqrt((np.abs(expected_cft) ** 2).mean(axis=(0, 2)))
    assert (np.abs(found_cft - expected_cft).max(axis=(0, 2)) / rms_f).max() < tolerance


def test_frequencies_stay_below_nyquist():
    frequencies_hz = log_spaced_frequencies(60, 1.0, 100.0, SFREQ)
    assert frequencies_hz[0] == 1
    assert frequencies_hz[-1] < 50
    np.testing.assert_allclose(np.diff(np.log(frequencies_hz)), np.log(100) / 59)


def test_band_amplitude_is_the_mean_over_the_band_s_frequencies():
    x_ct = np.random.default_rng(0).standard_normal((3, 400))
    frequencies_hz = log_spaced_frequencies(60, 1.0, 100.0, SFREQ)
    bands_hz = {"alpha": (8.0, 13.0), "gamma": (30.0, 100.0)}
    amplitude_cft = np.abs(reference(x_ct, frequencies_hz, "cmor1.5-1.0"))
    expected = [amplitude_cft[:, (frequencies_hz >= low) & (frequencies_hz <= high)].mean(axis=1) for low, high in bands_hz.values()]
    found = BandAmplitude(bands_hz, frequencies_hz, SFREQ)(torch.from_numpy(x_ct))
    np.testing.assert_allclose(found, np.stack(expected, axis=1), atol=1e-10)


def test_what_cannot_be_transformed_is_refused():
    with pytest.raises(UserError, match="'gamma' holds no wavelet frequency below 25 Hz"):
        BandAmplitude({"gamma": (30.0, 100.0)}, log_spaced_frequencies(60, 1.0, 100.0, 50.0), 50.0)
    with pytest.raises(UserError, match="'haar' is not a continuous wavelet"):
        Cwt([10.0], SFREQ, "haar")
