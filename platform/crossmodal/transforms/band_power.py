"""Band power over successive stretches of a window, as linear and small models of BOLD read EEG."""

from collections.abc import Mapping

import torch
from torch import nn

from crossmodal.config import UserError
from crossmodal.transforms.window_spectra import hann_of_unit_energy

# Of the power of a channel scaled to about one; what is silent stays finite.
_FLOOR = 1e-12


class LogBandPower(nn.Module):
    """Log of the mean power in each band, bin after bin; the last bin ends with the window.

    Within a bin it is Welch's estimate: the mean over Hann windows of half a bin, which overlap by half.

    Parameters
    ----------
    bands_hz : mapping of str to (float, float)
        Lower end included, upper end excluded. The part of a band above Nyquist is left out.
    bin_s : float
        Length of a bin, s.
    sfreq : float
        Hz.
    n_times : int
        Samples a window. Those before the first whole bin are left out.

    Raises
    ------
    UserError
        A window holds no bin, or a band no frequency.

    Notes
    -----
    Source: P. Welch (1967), The use of fast Fourier transform for the estimation of power spectra, IEEE Trans. Audio Electroacoust. 15.
    """

    window_w: torch.Tensor
    band_fk: torch.Tensor

    def __init__(self, bands_hz: Mapping[str, tuple[float, float]], bin_s: float, sfreq: float, n_times: int) -> None:
        super().__init__()
        self.n_bin = max(round(bin_s * sfreq), 2)
        self.n_bins = n_times // self.n_bin
        if not self.n_bins:
            raise UserError(f"bin_s: a window of {n_times / sfreq:g} s holds no bin of {bin_s:g} s; shorten it or lengthen the windows")
        n_window = self.n_bin // 2
        frequencies_hz = torch.fft.rfftfreq(n_window, 1 / sfreq)
        inside_fk = torch.stack([(frequencies_hz >= low) & (frequencies_hz < high) for low, high in bands_hz.values()], dim=1)
        for name, inside_f in zip(bands_hz, inside_fk.T, strict=True):
            if not inside_f.any():
                raise UserError(
                    f"bands_hz.{name}: bins of {bin_s:g} s at {sfreq:g} Hz resolve {sfreq / n_window:g} Hz, and no frequency of theirs is"
                    " in this band; widen or drop it, or lengthen bin_s"
                )
        self.register_buffer("window_w", hann_of_unit_energy(n_window), persistent=False)
        self.register_buffer("band_fk", inside_fk / inside_fk.sum(0), persistent=False)

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Transform (..., n_channels, n_times) to (..., n_channels, n_bands, n_bins), log of the signal's unit squared."""
        n_window = len(self.window_w)
        bins_bcmt = x_bct[..., x_bct.shape[-1] - self.n_bins * self.n_bin :].unflatten(-1, (self.n_bins, self.n_bin))
        spectra_bcmwf = torch.fft.rfft(bins_bcmt.unfold(-1, n_window, max(n_window // 2, 1)) * self.window_w)
        power_bcmf = spectra_bcmwf.abs().square().mean(-2)
        return (power_bcmf @ self.band_fk).clamp_min(_FLOOR).log().transpose(-1, -2)
