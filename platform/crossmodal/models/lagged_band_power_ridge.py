"""The linear model of BOLD that networks are compared with: ridge regression on log band power over lags."""

import torch

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.feature_ridge import FeatureRidge, FeatureRidgeConfig
from crossmodal.models.ridge import LAGGED_RIDGE
from crossmodal.transforms.band_power import LogBandPower


class LaggedBandPowerRidgeConfig(FeatureRidgeConfig):
    """Linear regression on the log power of each channel, band and bin."""

    @property
    def title(self) -> str:
        """Say what it regresses on."""
        return f"{LAGGED_RIDGE} on band power"


class LaggedBandPowerRidge(FeatureRidge):
    """Log power of each channel in each band and bin of the window."""

    def __init__(self, config: LaggedBandPowerRidgeConfig, signals: SignalPair) -> None:
        power = LogBandPower(config.bands_hz, config.bin_s, signals.input.sfreq, signals.input.n_times)
        super().__init__(config, signals, signals.input.n_channels * len(config.bands_hz) * power.n_bins)
        self.power = power

    def features(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Take the log power of all channels, bands and bins."""
        return self.power(x_bct).flatten(1)
