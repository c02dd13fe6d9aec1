"""Buffers and vectorised functions of one computation, for a CPU's caches and for a GPU or a gradient alike."""

import math

import numpy as np
import scipy.fft
import torch

# For shorter ones torch takes little more than half of SciPy's time.
_SHORTEST_BY_SCIPY = 4096


class Workspace:
    """Buffers that are used again, and functions that write into them: on a CPU fresh memory costs more than the arithmetic.

    On a CPU the Fourier transforms are SciPy's (pocketfft), which write into what they read, and magnitudes NumPy's, which take two fifths
    of torch's time. Where a gradient needs each result, and on other devices, torch computes.

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
        return torch.from_numpy(scipy.fft.rfft(x_t.numpy(), workers=torch.get_num_threads()))

    def inverse_transform(self, spectrum_w: torch.Tensor) -> torch.Tensor:
        """Unscaled inverse transform along the last axis, as `torch.fft.ifft(norm="forward")`; in the spectrum's place, or beside it."""
        if not self._in_numpy or spectrum_w.shape[-1] < _SHORTEST_BY_SCIPY:
            return torch.fft.ifft(spectrum_w, norm="forward")
        values_w = scipy.fft.ifft(spectrum_w.numpy(), norm="forward", overwrite_x=True, workers=torch.get_num_threads())
        return torch.from_numpy(values_w)

    def magnitude(self, values: torch.Tensor) -> torch.Tensor:
        """Absolute values of complex ones."""
        if not self._in_numpy:
            return values.abs()
        magnitude = self.empty("magnitude", tuple(values.shape), values.real.dtype)
        np.abs(values.numpy(), out=magnitude.numpy())
        return magnitude
