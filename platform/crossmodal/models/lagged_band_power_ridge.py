"""The linear model of BOLD that networks are compared with: ridge regression on log band power over lags."""

import numpy as np
import torch
from pydantic import Field, PositiveFloat

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.feature_ridge import FeatureRidge, FeatureRidgeConfig
from crossmodal.models.ridge import LAGGED_RIDGE
from crossmodal.physics.haemodynamics import canonical_response
from crossmodal.transforms.band_power import LogBandPower


class LaggedBandPowerRidgeConfig(FeatureRidgeConfig):
    """Linear regression on the power of each channel, band and bin, or on its logarithm."""

    exponent: float | None = Field(
        None, gt=0, le=1, description="of power to this one: 1 is power, 0.5 amplitude; None takes its logarithm"
    )
    peaks_s: tuple[PositiveFloat, ...] = Field(
        (),
        description="bins are summed by haemodynamic responses that peak so many seconds after an impulse, a feature each, of windows that"
        " end as the volume begins; none leaves each bin a feature",
    )

    @property
    def title(self) -> str:
        """Say what it regresses on."""
        exponent = "" if self.exponent is None else f" to the {self.exponent:g}"
        return f"{LAGGED_RIDGE} on band power{exponent}" + (" through blood" if self.peaks_s else "")


class LaggedBandPowerRidge(FeatureRidge):
    """Log power of each channel in each band and bin of the window, or power to an exponent; or its sums by haemodynamic responses."""

    response_mk: torch.Tensor

    def __init__(self, config: LaggedBandPowerRidgeConfig, signals: SignalPair) -> None:
        power = LogBandPower(config.bands_hz, config.bin_s, signals.input.sfreq, signals.input.n_times)
        n_lags = len(config.peaks_s) or power.n_bins
        super().__init__(config, signals, signals.input.n_channels * len(config.bands_hz) * n_lags)
        self.power = power
        self.exponent = config.exponent
        self.sums_bins = bool(config.peaks_s)
        # From the middle of each bin to the window's end.
        since_m1 = config.bin_s * (power.n_bins - 0.5 - np.arange(power.n_bins, dtype=np.float64))[:, None]
        response_mk = canonical_response(since_m1, np.array(config.peaks_s))
        self.register_buffer("response_mk", torch.from_numpy(response_mk).float(), persistent=False)

    def features(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Take the power of all channels, bands and bins."""
        power_bcfm = self.power(x_bct)
        if self.exponent is not None:
            power_bcfm = (self.exponent * power_bcfm).exp()
        return (power_bcfm @ self.response_mk if self.sums_bins else power_bcfm).flatten(1)
