"""Short-time Fourier transform."""

import torch
from scipy.signal import get_window
from torch import nn


class Stft(nn.Module):
    """Spectrum of a window around every hop-th sample, equal to `scipy.signal.stft` with scaling 'spectrum' and boundary 'zeros'.

    The signal is zero outside its ends; a window's sample at time t is its middle, and phases are relative to the window's start. The
    frequencies are 0, 1, ... floor(n_window / 2) times sfreq / n_window.

    Parameters
    ----------
    n_window : int
        Length of the window in samples.
    hop : int
        Samples from one window to the next.
    window : str
        Any window of `scipy.signal.get_window` that needs no parameter.
    """

    window_w: torch.Tensor

    def __init__(self, n_window: int, hop: int = 1, window: str = "hann") -> None:
        super().__init__()
        assert n_window >= 1
        assert hop >= 1
        self.n_window = n_window
        self.hop = hop
        window_w = torch.from_numpy(get_window(window, n_window))
        self.register_buffer("window_w", window_w / window_w.sum(), persistent=False)

    def forward(self, x_t: torch.Tensor) -> torch.Tensor:
        """Transform (..., n_times) real to (..., floor(n_window / 2) + 1, ceil(n_times / hop)) complex."""
        window_w = self.window_w.to(x_t.dtype)
        x_bt = x_t.reshape(-1, x_t.shape[-1])
        x_bfm = torch.stft(x_bt, self.n_window, self.hop, window=window_w, pad_mode="constant", return_complex=True)
        # An even window gives one more, around the sample after the last, where the hop divides the length.
        return x_bfm[..., : -(-x_t.shape[-1] // self.hop)].unflatten(0, x_t.shape[:-1])
