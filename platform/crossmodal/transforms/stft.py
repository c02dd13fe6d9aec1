"""Short-time Fourier transform."""

import torch
from scipy.signal import get_window
from torch import nn

from crossmodal.config import UserError

# Least share of the largest sum of squared windows that a sample is recovered from, as in SciPy.
_LEAST_WEIGHT = 1e-10


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

    def inverse(self, x_fm: torch.Tensor, n_times: int) -> torch.Tensor:
        """Undo `forward`: the signal whose spectra are nearest to those given (Griffin and Lim 1984, eq. 6), as `scipy.signal.istft`.

        Parameters
        ----------
        x_fm : Tensor, complex, shape (..., floor(n_window / 2) + 1, ceil(n_times / hop))
        n_times : int
            Samples of the signal, which the number of windows alone does not tell.

        Returns
        -------
        x_t : Tensor, real, shape (..., n_times)

        Raises
        ------
        UserError
            No window is above zero at some sample (the condition of nonzero overlap-add), which therefore cannot be recovered.
        """
        n_windows = x_fm.shape[-1]
        assert n_windows == -(-n_times // self.hop)
        window_w = self.window_w.to(x_fm.real.dtype)
        x_bwm = torch.fft.irfft(x_fm.reshape(-1, *x_fm.shape[-2:]), self.n_window, dim=-2) * window_w[:, None]
        weight_t = self._overlap_add(window_w.square()[None, :, None].expand(-1, -1, n_windows), n_times)[0]
        if weight_t.min() <= _LEAST_WEIGHT * window_w.square().max():
            raise UserError(
                f"{n_times} samples cannot be recovered from windows of {self.n_window} with hop {self.hop}: some lie in none; "
                "take a shorter hop or a window that is nowhere zero"
            )
        return (self._overlap_add(x_bwm, n_times) / weight_t).reshape(*x_fm.shape[:-2], n_times)

    def _overlap_add(self, x_bwm: torch.Tensor, n_times: int) -> torch.Tensor:
        """Sum windows where they lie, and zeros behind the last, shape (batch, n_times)."""
        n_padded = self.n_window + self.hop * (x_bwm.shape[-1] - 1)
        x_bt = torch.nn.functional.fold(x_bwm, (1, n_padded), (1, self.n_window), stride=(1, self.hop))[:, 0, 0]
        first = self.n_window // 2
        return torch.nn.functional.pad(x_bt, (0, max(0, first + n_times - n_padded)))[:, first : first + n_times]
