"""The lagged ridge on band power that knows how strong each band of each electrode is in the subject it predicts for."""

import copy
from typing import Self

import torch

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Statistics
from crossmodal.models.feature_ridge import FeatureStatistics
from crossmodal.models.lagged_band_power_ridge import LaggedBandPowerRidge, LaggedBandPowerRidgeConfig


class CalibratedBandPowerRidgeConfig(LaggedBandPowerRidgeConfig):
    """Linear regression on power, or its logarithm, that is standardised in each subject."""

    @property
    def title(self) -> str:
        """Say that it has seen the EEG of the subject it predicts for."""
        return f"calibrated {super().title}"


class CalibratedBandPowerRidge(LaggedBandPowerRidge):
    """Log power of each channel, band and bin, less the subject's own mean and over the subject's own deviation."""

    def __init__(self, config: CalibratedBandPowerRidgeConfig, signals: SignalPair) -> None:
        super().__init__(config, signals)

    def of_subject(self, statistics: Statistics) -> "SubjectStatistics":
        """Standardise the features of one subject by their own mean and deviation."""
        assert isinstance(statistics, FeatureStatistics)
        return SubjectStatistics(self, statistics)

    def calibrated(self, own: Statistics) -> Self:
        """Standardise as one subject is, of whose features it takes mean and deviation, and of whose targets nothing."""
        assert isinstance(own, SubjectStatistics)
        of_subject = copy.deepcopy(self)
        of_subject.weight_ps = (self.weight_ps / own.deviation_p[:, None]).float()
        of_subject.feature_mean_p = (own.mean_p + own.deviation_p * self.feature_mean_p).float()
        return of_subject


class SubjectStatistics(FeatureStatistics):
    """One subject's standardised features; added to others', they are as any features.

    Parameters
    ----------
    ridge : CalibratedBandPowerRidge
    recorded : FeatureStatistics
        Features as they are.
    """

    def __init__(self, ridge: CalibratedBandPowerRidge, recorded: FeatureStatistics) -> None:
        x_np = torch.cat(recorded.features).double()
        variance_p, self.mean_p = torch.var_mean(x_np, dim=0, correction=0)
        # What never changes stays zero.
        self.deviation_p = torch.where(variance_p > 0, variance_p, 1.0).sqrt()
        super().__init__(ridge, [(x_np - self.mean_p) / self.deviation_p], recorded.targets)
