"""What vigilance alone tells of BOLD: ridge regression on the alpha-to-theta ratio over lags."""

import torch

from crossmodal.config import UserError
from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.feature_ridge import FeatureRidge, FeatureRidgeConfig
from crossmodal.transforms.band_power import LogBandPower


class VigilanceConfig(FeatureRidgeConfig):
    """Linear regression on the ratio of alpha to theta power in each bin."""

    @property
    def title(self) -> str:
        """Say what is taken for vigilance."""
        return "vigilance"


class Vigilance(FeatureRidge):
    """Log of the ratio of alpha to theta power, averaged over channels, in each bin of the window.

    Source of the index: alpha over slower power, as Wong et al. (2013), NeuroImage 83:983-990, and Falahpour et al. (2018), NeuroImage
    174:317-327, who follow wakefulness in the scanner by it; of the slower bands theta alone is taken.
    """

    def __init__(self, config: VigilanceConfig, signals: SignalPair) -> None:
        if not {"alpha", "theta"} <= config.bands_hz.keys():
            raise UserError(f"bands_hz of the baseline vigilance must name alpha and theta, not {', '.join(config.bands_hz)}")
        bands_hz = {name: config.bands_hz[name] for name in ("alpha", "theta")}
        power = LogBandPower(bands_hz, config.bin_s, signals.input.sfreq, signals.input.n_times)
        super().__init__(config, signals, power.n_bins)
        self.power = power

    def features(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Take the mean log ratio over channels, a number a bin."""
        power_bckm = self.power(x_bct)
        return (power_bckm[:, :, 0] - power_bckm[:, :, 1]).mean(1)
