"""Short-time Fourier transform at every sample."""

import torch
from torch import nn


class Stft(nn.Module):
    """Spectrum of a Hann window around every sample, equal to `scipy.signal.stft` with scaling 'spectrum' and hop 1.

    The signal is zero outside its ends; a window's sample at time t is its middle, and phases are relative to the window's start.

    Parameters
    ----------
    n_window : int
        Length of the window, even.
    """

    window_w: torch.Tensor

    def __init__(self, n_window: int) -> None:
        super().__init__()
        assert n_window % 2 == 0
        self.n_window = n_window
        window_w = torch.hann_window(n_window, periodic=True, dtype=torch.float64)
        self.register_buffer("window_w", window_w / window_w.sum(), persistent=False)

    def forward(self, x_t: torch.Tensor) -> torch.Tensor:
        """Transform (..., n_times) real to (..., n_window / 2 + 1, n_times) complex."""
        x_bt = x_t.reshape(-1, x_t.shape[-1])
        x_bft = torch.stft(
            x_bt, self.n_window, hop_length=1, window=self.window_w.to(x_t.dtype), center=True, pad_mode="constant", return_complex=True
        )
        return x_bft[..., : x_t.shape[-1]].unflatten(0, x_t.shape[:-1])
