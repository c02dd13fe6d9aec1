"""Continuous wavelet transform as convolution with the kernels that PyWavelets applies."""

from collections.abc import Sequence

import numpy as np
import pywt
import torch
from numpy.typing import NDArray
from torch import nn

from crossmodal.config import UserError


def log_spaced_frequencies(count: int, lowest_hz: float, highest_hz: float, sfreq: float) -> NDArray[np.float64]:
    """Those of `count` log-spaced frequencies (Hz, ends included) that lie below Nyquist."""
    frequencies_hz = np.geomspace(lowest_hz, highest_hz, count)
    return frequencies_hz[frequencies_hz < sfreq / 2]


class Cwt(nn.Module):
    """Continuous wavelet transform along the last axis, equal to `pywt.cwt` with scales for the given frequencies.

    PyWavelets' transform is linear and treats samples outside the signal as zero, so each scale is one convolution with
    its response to an impulse. The kernels are taken in float64 (in float32 PyWavelets is itself wrong by up to 13 % at low
    scales) and applied by FFT.

    Parameters
    ----------
    frequencies_hz : sequence of float
        Centre frequencies; each below sfreq / 2.
    sfreq : float
        Sampling rate, Hz.
    wavelet : str
        Any continuous wavelet of PyWavelets.
    """

    kernel_fk: torch.Tensor

    def __init__(self, frequencies_hz: Sequence[float] | NDArray[np.float64], sfreq: float, wavelet: str = "cmor1.5-1.0") -> None:
        super().__init__()
        kernels = [_kernel(wavelet, frequency_hz / sfreq) for frequency_hz in frequencies_hz]
        half = max(len(kernel) for kernel in kernels) // 2
        centred = [np.pad(kernel, half - len(kernel) // 2) for kernel in kernels]
        self.half_length = half
        self.register_buffer("kernel_fk", torch.from_numpy(np.stack(centred)), persistent=False)

    def forward(self, x_t: torch.Tensor) -> torch.Tensor:
        """Transform (..., n_times) real to (..., n_frequencies, n_times), complex where the wavelet is."""
        n_times = x_t.shape[-1]
        n_fft = _fast_length(n_times + self.half_length)
        kernel_fk = self.kernel_fk[..., max(0, self.half_length - n_times + 1) : self.half_length + n_times]
        before = min(self.half_length, n_times - 1)
        # Circular convolution of this length is right wherever the result is kept: what wraps falls into the cut.
        n_fft = max(n_fft, kernel_fk.shape[-1])
        spectrum_fw = torch.fft.fft(kernel_fk, n_fft).to(torch.complex128 if x_t.dtype == torch.float64 else torch.complex64)
        wavelets_ft = torch.fft.ifft(torch.fft.fft(x_t, n_fft)[..., None, :] * spectrum_fw)
        wavelets_ft = wavelets_ft[..., before : before + n_times]
        return wavelets_ft if self.kernel_fk.is_complex() else wavelets_ft.real


def _kernel(wavelet: str, cycles_per_sample: float) -> NDArray[np.complex128] | NDArray[np.float64]:
    """Response of one scale of `pywt.cwt` to a unit impulse, odd in length, centred."""
    try:
        continuous = pywt.ContinuousWavelet(wavelet)
    except ValueError:
        raise UserError(f"'{wavelet}' is not a continuous wavelet of PyWavelets; 'cmor1.5-1.0' is the usual one") from None
    scale = pywt.central_frequency(continuous) / cycles_per_sample
    half = int(np.ceil(scale * (continuous.upper_bound - continuous.lower_bound) / 2)) + 1
    impulse = np.zeros(2 * half + 1)
    impulse[half] = 1.0
    return pywt.cwt(impulse, [scale], continuous, method="conv")[0][0]


def _fast_length(at_least: int) -> int:
    """Next length that is a power of two or three halves of one."""
    power = 1 << (at_least - 1).bit_length()
    return 3 * power // 4 if 3 * power // 4 >= at_least else power
