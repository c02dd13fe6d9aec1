"""The linear model of BOLD that networks are compared with: ridge regression on log band power over lags."""

import torch
from pydantic import Field

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.feature_ridge import FeatureRidge, FeatureRidgeConfig
from crossmodal.models.ridge import LAGGED_RIDGE
from crossmodal.transforms.band_power import LogBandPower


class LaggedBandPowerRidgeConfig(FeatureRidgeConfig):
    """Linear regression on the power of each channel, band and bin, or on its logarithm."""

    exponent: float | None = Field(
        None, gt=0, le=1, description="of power to this one: 1 is power, 0.5 amplitude; None takes its logarithm"
    )

    @property
    def title(self) -> str:
        """Say what it regresses on."""
        return f"{LAGGED_RIDGE} on band power" + ("" if self.exponent is None else f" to the {self.exponent:g}")


class LaggedBandPowerRidge(FeatureRidge):
    """Log power of each channel in each band and bin of the window, or power to an exponent."""

    def __init__(self, config: LaggedBandPowerRidgeConfig, signals: SignalPair) -> None:
        power = LogBandPower(config.bands_hz, config.bin_s, signals.input.sfreq, signals.input.n_times)
        super().__init__(config, signals, signals.input.n_channels * len(config.bands_hz) * power.n_bins)
        self.power = power
        self.exponent = config.exponent

    def features(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Take the power of all channels, bands and bins."""
        log_bp = self.power(x_bct).flatten(1)
        return log_bp if self.exponent is None else (self.exponent * log_bp).exp()
