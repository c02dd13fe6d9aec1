"""The U-Net's outermost skip: a linear path from the input straight to the target."""

import math

import torch
from pydantic import Field
from torch import nn

from crossmodal.config import Config

# The first filters are wavelets of two cycles, from the slowest rhythm that a window shows to the fastest that a scalp lets through.
_LOWEST_HZ = 2.0
_HIGHEST_HZ = 30.0
_CYCLES = 2.0


class InputSkipConfig(Config):
    """A bank of temporal filters shared by all input channels, then a linear map of the filtered channels to the sensors."""

    filters: int = Field(8, ge=1)
    taps: int = Field(61, ge=1, description="odd")


class InputSkip(nn.Module):
    """Filters shared by all input channels, then a map of the filtered channels to the target: a two-sided FIR of low rank.

    Sources reach all sensors at once, so the best linear map differs between frequencies only as spectra do, and a handful
    of temporal filters makes it; a full FIR has as many times more weights to fit as it has lags. The filters start as an
    impulse and a bank of real Morlet wavelets, the map at zero.

    Parameters
    ----------
    config : InputSkipConfig
        Number and length of the filters.
    n_input, n_target : int
        Channels.
    sfreq : float
        Hz.
    """

    def __init__(self, config: InputSkipConfig, n_input: int, n_target: int, sfreq: float) -> None:
        super().__init__()
        self.bank = nn.Conv1d(1, config.filters, config.taps, padding=config.taps // 2, bias=False)
        self.mixing = nn.Conv1d(n_input * config.filters, n_target, 1)
        with torch.no_grad():
            self.bank.weight[:, 0] = _starting_filters(config, sfreq)
        nn.init.zeros_(self.mixing.weight)
        assert self.mixing.bias is not None
        nn.init.zeros_(self.mixing.bias)

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Map (batch, n_input, n_times) to (batch, n_target, n_times)."""
        filtered_nft = self.bank(x_bct.flatten(0, 1)[:, None])
        return self.mixing(filtered_nft.unflatten(0, x_bct.shape[:2]).flatten(1, 2))


def _starting_filters(config: InputSkipConfig, sfreq: float) -> torch.Tensor:
    """An impulse and real Morlet wavelets at log-spaced frequencies, faded out to the ends; unit norm, (filters, taps)."""
    time_k = torch.arange(config.taps) - config.taps // 2
    fade_k = torch.cos(math.pi * time_k / (config.taps + 1)) ** 2
    frequencies_hz = torch.logspace(math.log10(_LOWEST_HZ), math.log10(_HIGHEST_HZ), config.filters - 1)
    phase_fk = 2 * math.pi / sfreq * frequencies_hz[:, None] * time_k
    wavelets_fk = fade_k * torch.exp(-((phase_fk / _CYCLES) ** 2) / 2) * torch.cos(phase_fk)
    filters_fk = torch.cat([(time_k == 0).to(wavelets_fk)[None], wavelets_fk])
    return filters_fk / filters_fk.norm(dim=1, keepdim=True)
