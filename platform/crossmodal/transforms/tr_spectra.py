"""Spectra of the EEG of one repetition time (TR) each, as EEG-to-fMRI models read them."""

import math

import torch
from torch import nn

from crossmodal.config import UserError


class TrSpectra(nn.Module):
    """Magnitude spectrum of each TR, standardised across channels (Calhas and Henriques, arXiv 2203.03481, and their code).

    Windows are rectangular, int(tr_s * sfreq) samples long, and follow one another without overlap; samples after the last whole one
    are left out. A frequency's value is the unscaled |DFT|; zero frequency is left out.

    Parameters
    ----------
    sfreq : float
        Sampling rate, Hz.
    tr_s : float
        Repetition time of the volumes, s.
    n_frequencies : int
        Frequencies kept, from the lowest: 1 / TR apart, up to n_frequencies / TR.

    Raises
    ------
    UserError
        A TR is too short for so many frequencies, or a signal is shorter than a TR.
    """

    def __init__(self, sfreq: float, tr_s: float, n_frequencies: int = 134) -> None:
        super().__init__()
        # A product such as 0.29 * 100 falls just short of a whole number.
        self.n_window = math.floor(tr_s * sfreq + 1e-6)
        self.n_frequencies = n_frequencies
        if n_frequencies > self.n_window // 2:
            raise UserError(
                f"a TR of {tr_s:g} s at {sfreq:g} Hz holds {self.n_window // 2} frequencies and not {n_frequencies}; "
                "ask for fewer or resample higher"
            )

    def forward(self, x_ct: torch.Tensor) -> torch.Tensor:
        """Transform (..., n_channels, n_times) to (..., n_channels, n_frequencies, n_trs), without unit."""
        n_trs = x_ct.shape[-1] // self.n_window
        if not n_trs:
            raise UserError(f"a recording of {x_ct.shape[-1]} samples is shorter than one TR, {self.n_window} samples; leave it out")
        x_cnw = x_ct[..., : n_trs * self.n_window].unflatten(-1, (n_trs, self.n_window))
        magnitude_cnf = torch.fft.rfft(x_cnw)[..., 1 : self.n_frequencies + 1].abs()
        return standardise_channels(magnitude_cnf.transpose(-1, -2))


def standardise_channels(x_cfm: torch.Tensor) -> torch.Tensor:
    """Z-score across channels for each frequency and time, shape (..., C, F, M); zero where all channels are equal.

    The deviation is that of the population (divided by C). There is no inverse: mean and deviation are those of each point itself.
    """
    mean_fm = x_cfm.mean(dim=-3, keepdim=True)
    deviation_cfm = x_cfm - mean_fm
    variance_fm = deviation_cfm.square().mean(dim=-3, keepdim=True)
    # What equal channels differ by after rounding is not to be blown up.
    is_flat_fm = variance_fm <= (8 * torch.finfo(x_cfm.dtype).eps * mean_fm).square()
    return torch.where(is_flat_fm, 0.0, deviation_cfm / torch.where(is_flat_fm, 1.0, variance_fm).sqrt())
