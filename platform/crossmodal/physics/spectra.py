"""Power spectra of neural sources in closed form, so that ceilings know them at any frequency."""

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from crossmodal.config.simulation import SourceSpectrum

_INTEGRATION_POINTS = 20001


@dataclass(frozen=True)
class PowerDensity:
    """One-sided power density of a source: an aperiodic part and one Gaussian peak.

    The density is ``aperiodic / (knee_hz + f)^exponent + peak exp(-(f - peak_hz)^2 / (2 peak_width_hz^2))``, zero above
    `band_limit_hz`. Multiplied with the covariance of a source, which carries the unit, it is a density per Hz.
    """

    aperiodic: float
    knee_hz: float
    exponent: float
    peak: float
    peak_hz: float
    peak_width_hz: float
    band_limit_hz: float

    def __call__(self, frequencies_hz: NDArray[np.float64]) -> NDArray[np.float64]:
        """Evaluate the density at frequencies in Hz; same shape, in 1/Hz."""
        f = np.asarray(frequencies_hz, dtype=np.float64)
        falling = self.aperiodic / (self.knee_hz + f) ** self.exponent
        bump = self.peak * np.exp(-((f - self.peak_hz) ** 2) / (2 * self.peak_width_hz**2))
        return np.where(f <= self.band_limit_hz, falling + bump, 0.0)

    def to_array(self) -> NDArray[np.float64]:
        """All parameters in the order of the fields, shape (7,)."""
        return np.array(astuple(self))


def aperiodic_density(spectrum: SourceSpectrum, band_limit_hz: float) -> PowerDensity:
    """Aperiodic density whose integral from 0 to `band_limit_hz` is one."""
    shape = PowerDensity(1.0, spectrum.knee_hz, spectrum.exponent, 0.0, spectrum.alpha_hz, spectrum.alpha_width_hz, band_limit_hz)
    return PowerDensity(1.0 / _power(shape), *astuple(shape)[1:])


def alpha_density(spectrum: SourceSpectrum, band_limit_hz: float) -> PowerDensity:
    """Alpha peak whose integral from 0 to `band_limit_hz` is one."""
    shape = PowerDensity(0.0, spectrum.knee_hz, spectrum.exponent, 1.0, spectrum.alpha_hz, spectrum.alpha_width_hz, band_limit_hz)
    return PowerDensity(0.0, shape.knee_hz, shape.exponent, 1.0 / _power(shape), *astuple(shape)[4:])


def _power(density: PowerDensity) -> float:
    frequencies_hz = np.linspace(0.0, density.band_limit_hz, _INTEGRATION_POINTS)
    return float(np.trapezoid(density(frequencies_hz), frequencies_hz))
