"""Log spectra of successive stretches of a signal, level and all."""

import torch
from scipy.signal import get_window
from torch import nn

# Of magnitudes of signals scaled to about one; what is silent stays finite.
_FLOOR = 1e-6


class WindowSpectra(nn.Module):
    """Log magnitude of the DFT of Hann windows that follow one another without overlap; the last ends with the signal.

    Windows are scaled to unit energy, so that white noise has the same level at any length. Zero frequency is left out.

    Parameters
    ----------
    n_window : int
        Samples of a window, no more than `n_times`.
    n_frequencies : int
        Kept from the lowest, no more than half of `n_window`.
    n_times : int
        Samples of a signal; those before the first whole window are left out.
    """

    window_w: torch.Tensor

    def __init__(self, n_window: int, n_frequencies: int, n_times: int) -> None:
        super().__init__()
        assert n_window <= n_times
        assert 1 <= n_frequencies <= n_window // 2
        self.n_windows = n_times // n_window
        self.n_frequencies = n_frequencies
        self.register_buffer("window_w", hann_of_unit_energy(n_window), persistent=False)

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Transform (..., n_channels, n_times) to (..., n_channels, n_windows, n_frequencies)."""
        n_window = len(self.window_w)
        windows_bcmw = x_bct[..., x_bct.shape[-1] - self.n_windows * n_window :].unflatten(-1, (self.n_windows, n_window))
        magnitude_bcmf = torch.fft.rfft(windows_bcmw * self.window_w)[..., 1 : self.n_frequencies + 1].abs()
        return magnitude_bcmf.clamp_min(_FLOOR).log()


def hann_of_unit_energy(n_window: int) -> torch.Tensor:
    """Make a periodic Hann window whose squares sum to one, shape (n_window,)."""
    window_w = torch.from_numpy(get_window("hann", n_window)).float()
    return window_w / window_w.square().sum().sqrt()
