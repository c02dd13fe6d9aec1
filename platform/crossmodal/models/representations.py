"""What a network sees of a signal: rows of frequency over time."""

from abc import ABC, abstractmethod
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import nn

from crossmodal.config import Config, UserError
from crossmodal.transforms import bands, cwt, stft

Band = tuple[float, float]


class Waveform(Config):
    """The signal itself: one row."""

    kind: Literal["waveform"] = "waveform"


class Wavelets(Config):
    """Which wavelets a signal is transformed by."""

    wavelet: str = "cmor1.5-1.0"
    frequencies: int = Field(60, ge=1, description="log-spaced")
    lowest_hz: float = Field(1.0, gt=0)
    highest_hz: float = Field(100.0, gt=0)


class Scalogram(Wavelets):
    """Continuous wavelet transform, a row a frequency; those above Nyquist are left out."""

    kind: Literal["scalogram"] = "scalogram"
    parts: Literal["log_amplitude", "complex"] = Field(
        "log_amplitude", description="complex keeps phase: real and imaginary parts as channels"
    )


class Bands(Wavelets):
    """Mean wavelet amplitude over the frequencies of each band, a row a band, as log1p."""

    kind: Literal["bands"] = "bands"
    bands_hz: dict[str, Band] = Field(default={"alpha": (8, 13), "beta": (13, 30), "gamma": (30, 100)}, min_length=1)


class Stft(Config):
    """Short-time Fourier transform at every sample, a row a frequency."""

    kind: Literal["stft"] = "stft"
    parts: Literal["log_amplitude", "complex"] = "log_amplitude"
    window_s: float = Field(0.62, gt=0, description="a Hann window, rounded to an even number of samples")


Representation = Annotated[Waveform | Scalogram | Bands | Stft, Field(discriminator="kind")]
TargetRepresentation = Annotated[Waveform | Bands, Field(discriminator="kind")]


class SignalRows(nn.Module, ABC):
    """Maps (batch, channel, time) to (batch, channel * parts, rows, time)."""

    def __init__(self, n_rows: int, n_parts: int = 1) -> None:
        super().__init__()
        self.n_rows = n_rows
        self.n_parts = n_parts

    @abstractmethod
    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Represent a batch."""


class WaveformRows(SignalRows):
    """The signal itself as a single row."""

    def __init__(self) -> None:
        super().__init__(1)

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Add the axis of rows."""
        return x_bct[:, :, None]


class BandRows(SignalRows):
    """log1p of wavelet band amplitudes. The signal is in normalised units: in volts log1p would be the identity."""

    def __init__(self, config: Bands, sfreq: float) -> None:
        super().__init__(len(config.bands_hz))
        frequencies_hz = cwt.log_spaced_frequencies(config.frequencies, config.lowest_hz, config.highest_hz, sfreq)
        self.amplitude = bands.BandAmplitude(config.bands_hz, frequencies_hz, sfreq, config.wavelet)

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Compute a row a band."""
        return torch.log1p(self.amplitude(x_bct))


class SpectralRows(SignalRows):
    """A complex transform as log1p of its amplitude, or as real and imaginary parts side by side."""

    def __init__(self, transform: nn.Module, n_rows: int, complex_parts: bool) -> None:
        super().__init__(n_rows, 2 if complex_parts else 1)
        self.transform = transform

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Compute a row a frequency."""
        x_bcft = self.transform(x_bct)
        if self.n_parts == 1:
            return torch.log1p(x_bcft.abs())
        return torch.cat([x_bcft.real, x_bcft.imag], dim=1)


def build_representation(config: Representation, sfreq: float) -> SignalRows:
    """Build the representation that a config names, for signals sampled at `sfreq` Hz."""
    if isinstance(config, Bands):
        return BandRows(config, sfreq)
    if isinstance(config, Scalogram):
        frequencies_hz = cwt.log_spaced_frequencies(config.frequencies, config.lowest_hz, config.highest_hz, sfreq)
        if not len(frequencies_hz):
            raise UserError(f"no scalogram frequency lies below {sfreq / 2:g} Hz; lower model.representation.lowest_hz or resample higher")
        return SpectralRows(cwt.Cwt(frequencies_hz, sfreq, config.wavelet), len(frequencies_hz), config.parts == "complex")
    if isinstance(config, Stft):
        n_window = max(2, 2 * round(config.window_s * sfreq / 2))
        return SpectralRows(stft.Stft(n_window), n_window // 2 + 1, config.parts == "complex")
    return WaveformRows()
