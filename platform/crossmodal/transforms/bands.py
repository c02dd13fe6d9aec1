"""Band amplitude: how strong a signal is in a band of frequencies, at every moment."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from crossmodal.config import UserError
from crossmodal.transforms.cwt import Cwt


class BandAmplitude(nn.Module):
    """Mean wavelet amplitude |W| over those of the given frequencies that fall in a band (ends included).

    Parameters
    ----------
    bands_hz : mapping of str to (float, float)
        Bands in the order of the output's rows. The part of a band above Nyquist is left out.
    frequencies_hz : ndarray
        Frequencies of the transform, each below sfreq / 2.
    """

    weight_nf: torch.Tensor

    def __init__(
        self, bands_hz: Mapping[str, tuple[float, float]], frequencies_hz: NDArray[np.float64], sfreq: float, wavelet: str = "cmor1.5-1.0"
    ) -> None:
        super().__init__()
        inside_nf = np.array([(frequencies_hz >= low) & (frequencies_hz <= high) for low, high in bands_hz.values()])
        for name, inside_f in zip(bands_hz, inside_nf, strict=True):
            if not inside_f.any():
                raise UserError(f"band '{name}' holds no wavelet frequency below {sfreq / 2:g} Hz; drop it or resample higher")
        used_f = inside_nf.any(axis=0)
        self.cwt = Cwt(frequencies_hz[used_f], sfreq, wavelet)
        weight_nf = inside_nf[:, used_f] / inside_nf.sum(axis=1, keepdims=True)
        self.register_buffer("weight_nf", torch.from_numpy(weight_nf), persistent=False)

    def forward(self, x_t: torch.Tensor) -> torch.Tensor:
        """Transform (..., n_times) to (..., n_bands, n_times), in the signal's unit times the wavelet's gain."""
        return torch.einsum("nf,...ft->...nt", self.weight_nf.to(x_t.dtype), self.cwt(x_t).abs())
