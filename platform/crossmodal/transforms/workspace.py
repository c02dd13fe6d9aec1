"""Buffers and vectorised functions of one computation, for a CPU's caches and for a GPU or a gradient alike."""

import math

import ducc0
import numpy as np
import torch

# DUCC takes more than twice torch's time for shorter ones.
_SHORTEST_BY_DUCC = 4096


class Workspace:
    """Buffers that are used again, and functions that write into them: on a CPU fresh memory costs more than the arithmetic.

    On a CPU the Fourier transforms are those of DUCC (ducc0, which grew out of SciPy's pocketfft) and magnitudes NumPy's, which take two
    thirds and two fifths of torch's time. Where a gradient needs each result, and on other devices, torch computes.

    Parameters
    ----------
    signal : Tensor
        What is computed from.
    """

    def __init__(self, signal: torch.Tensor) -> None:
        self._device = signal.device
        self._needs_each = torch.is_grad_enabled() and signal.requires_grad
        self._in_numpy = self._device.type == "cpu" and not self._needs_each
        self._buffers: dict[tuple[str, torch.dtype], torch.Tensor] = {}

    def __call__(self, use: str, shape: tuple[int, ...], like: torch.Tensor) -> torch.Tensor | None:
        """Memory for `out=`, of the shape asked for and of the type of `like`."""
        return None if self._needs_each else self.empty(use, shape, like.dtype)

    def empty(self, use: str, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
        """Memory to be written to, the same for all shapes of one use."""
        if self._needs_each:
            return torch.empty(shape, dtype=dtype, device=self._device)
        size = math.prod(shape)
        if (use, dtype) not in self._buffers or len(self._buffers[use, dtype]) < size:
            self._buffers[use, dtype] = torch.empty(size, dtype=dtype, device=self._device)
        return self._buffers[use, dtype][:size].view(shape)

    def transform(self, x_t: torch.Tensor) -> torch.Tensor:
        """Spectrum of a float64 signal along the last axis, as `torch.fft.rfft`."""
        if not self._in_numpy:
            return torch.fft.rfft(x_t)
        spectrum_w = self.empty("transform", (*x_t.shape[:-1], x_t.shape[-1] // 2 + 1), torch.complex128)
        ducc0.fft.r2c(x_t.numpy(), axes=(x_t.ndim - 1,), out=spectrum_w.numpy(), nthreads=torch.get_num_threads())
        return spectrum_w

    def inverse_transform(self, spectrum_w: torch.Tensor) -> torch.Tensor:
        """Unscaled inverse transform along the last axis, as `torch.fft.ifft(norm="forward")`; in the spectrum's place, or beside it."""
        if not self._in_numpy or spectrum_w.shape[-1] < _SHORTEST_BY_DUCC:
            return torch.fft.ifft(spectrum_w, norm="forward")
        values_w = spectrum_w.numpy()
        ducc0.fft.c2c(values_w, axes=(values_w.ndim - 1,), forward=False, out=values_w, nthreads=torch.get_num_threads())
        return spectrum_w

    def magnitude(self, values: torch.Tensor) -> torch.Tensor:
        """Absolute values of complex ones."""
        if not self._in_numpy:
            return values.abs()
        magnitude = self.empty("magnitude", tuple(values.shape), values.real.dtype)
        np.abs(values.numpy(), out=magnitude.numpy())
        return magnitude
