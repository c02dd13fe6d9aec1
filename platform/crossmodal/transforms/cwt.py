"""Continuous wavelet transform as convolution with the kernels that PyWavelets applies."""

from collections.abc import Iterator, Sequence

import numpy as np
import pywt
import torch
from numpy.typing import NDArray
from torch import nn

from crossmodal.config import UserError
from crossmodal.transforms.filter_bank import FilterBank


def log_spaced_frequencies(count: int, lowest_hz: float, highest_hz: float, sfreq: float) -> NDArray[np.float64]:
    """Those of `count` log-spaced frequencies (Hz, ends included) that lie below Nyquist."""
    frequencies_hz = np.geomspace(lowest_hz, highest_hz, count)
    return frequencies_hz[frequencies_hz < sfreq / 2]


class Cwt(nn.Module):
    """Continuous wavelet transform along the last axis, equal to `pywt.cwt` with scales for the given frequencies.

    PyWavelets' transform is linear and treats samples outside the signal as zero, so each scale is one convolution with its response to
    an impulse. The response has no compact spectrum, since PyWavelets samples a stored integral of the wavelet in steps; all of it
    is applied.

    Parameters
    ----------
    frequencies_hz : sequence of float
        Centre frequencies; each below sfreq / 2.
    sfreq : float
        Sampling rate, Hz.
    wavelet : str
        Any continuous wavelet of PyWavelets.

    Notes
    -----
    For a stationary float32 signal, whatever its spectrum, offset and length, no value differs from `pywt.cwt(method="fft")` on the same
    signal in float64 by more than 1e-5 of the scale's rms; or, where the scale peaks above 150 times that (an offset's ends), by more
    than 1/150 of 1e-5 of the peak, which is how float32 rounds it: by up to 6e-8. Beside a transient inside the signal, a spike or a
    step, it is up to 2e-7 of the peak; beside a burst of another frequency, 300 times as strong as the rest, 3e-4 of the rms was seen.
    """

    def __init__(self, frequencies_hz: Sequence[float] | NDArray[np.float64], sfreq: float, wavelet: str = "cmor1.5-1.0") -> None:
        super().__init__()
        kernels = wavelet_kernels(frequencies_hz, sfreq, wavelet)
        self.is_complex = np.iscomplexobj(kernels[0])
        self.bank = FilterBank(kernels, [1] * len(kernels))

    def forward(self, x_t: torch.Tensor) -> torch.Tensor:
        """Transform (..., n_times) real to (..., n_frequencies, n_times), complex where the wavelet is."""
        return self._over(x_t, range(x_t.shape[-1]))

    def _over(self, x_t: torch.Tensor, samples: range) -> torch.Tensor:
        x_rt = x_t.reshape(-1, x_t.shape[-1])
        out_rft = _empty((len(x_rt), len(self.bank.every), len(samples)), x_rt, self.is_complex)
        for piece in self.bank.pieces(x_rt, samples=samples):
            values_rbm = piece.values_rbm if self.is_complex else piece.values_rbm.real
            out_rft[piece.rows, piece.kernel, piece.samples].unflatten(-1, values_rbm.shape[1:]).copy_(values_rbm)
        return out_rft.reshape(*x_t.shape[:-1], *out_rft.shape[1:])

    def blocks(self, x_t: torch.Tensor, block_length: int) -> Iterator[tuple[int, torch.Tensor]]:
        """Transform a long recording block by block, where the whole transform would not fit into memory.

        Yields
        ------
        start : int
            First sample of the block.
        wavelets_ft : Tensor, shape (..., n_frequencies, at most block_length)
            What `forward` would give there.
        """
        for start in range(0, x_t.shape[-1], block_length):
            yield start, self._over(x_t, range(start, min(start + block_length, x_t.shape[-1])))


def wavelet_kernels(
    frequencies_hz: Sequence[float] | NDArray[np.float64], sfreq: float, wavelet: str
) -> list[NDArray[np.complex128] | NDArray[np.float64]]:
    """Responses of scales of `pywt.cwt` to a unit impulse, odd in length, centred.

    In float64: in float32 PyWavelets is itself wrong by up to 13 % of a kernel at low scales.

    Raises
    ------
    UserError
        PyWavelets has no continuous wavelet of that name.
    """
    try:
        continuous = pywt.ContinuousWavelet(wavelet)
    except ValueError:
        raise UserError(f"'{wavelet}' is not a continuous wavelet of PyWavelets; 'cmor1.5-1.0' is the usual one") from None
    scales = pywt.central_frequency(continuous) * sfreq / np.asarray(frequencies_hz)
    return [_kernel(continuous, scale) for scale in scales]


def _kernel(wavelet: pywt.ContinuousWavelet, scale: float) -> NDArray[np.complex128] | NDArray[np.float64]:
    half = int(np.ceil(scale * (wavelet.upper_bound - wavelet.lower_bound) / 2)) + 1
    impulse = np.zeros(2 * half + 1)
    impulse[half] = 1.0
    return pywt.cwt(impulse, [scale], wavelet, method="fft")[0][0]


def _empty(shape: tuple[int, ...], like: torch.Tensor, is_complex: bool) -> torch.Tensor:
    """Memory for a result; on a CPU NumPy's, which asks for huge pages: small ones cost more than filling them."""
    dtype = torch.float64 if like.dtype == torch.float64 else torch.float32
    dtype = dtype.to_complex() if is_complex else dtype
    if like.device.type != "cpu":
        return torch.empty(shape, dtype=dtype, device=like.device)
    return torch.from_numpy(np.empty(shape, np.dtype(str(dtype).removeprefix("torch."))))
