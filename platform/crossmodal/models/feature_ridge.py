"""Ridge regression from features of a window to the volume after it.

Shape suffixes: b batch, c input channel, t time, p feature, s target.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from pydantic import Field

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.band_power import BANDS_HZ, BIN_S
from crossmodal.models.base import Baseline, ModelConfig, Predicts, Statistics
from crossmodal.models.normal_equations import Products, best_solution


class FeatureRidgeConfig(ModelConfig):
    """What ridges on band power have in common."""

    predicts: ClassVar[tuple[Predicts, ...]] = ("volumes",)

    bands_hz: dict[str, tuple[float, float]] = Field(default=BANDS_HZ, min_length=1)
    bin_s: float = Field(BIN_S, gt=0, description="power is taken over stretches of this length, which are the lags")
    penalties: tuple[float, ...] = Field(
        (1e-2, 1e-1, 1.0, 10.0, 100.0, 1000.0),
        min_length=1,
        description="in units of the mean variance of a feature; chosen on validation subjects",
    )


@dataclass
class FeatureMoments:
    """Moments of features and targets, summed over windows, in float64.

    Attributes
    ----------
    n_windows : int
    feature_p, target_s : Tensor, shapes (n_features,) and (n_target,)
        Sums.
    gram_pp, cross_ps : Tensor, shapes (n_features, n_features) and (n_features, n_target)
        Sums of products.
    target_sq_s : Tensor, shape (n_target,)
    """

    n_windows: int
    feature_p: torch.Tensor
    target_s: torch.Tensor
    gram_pp: torch.Tensor
    cross_ps: torch.Tensor
    target_sq_s: torch.Tensor

    def __add__(self, other: Self) -> "FeatureMoments":
        return FeatureMoments(*(one + another for one, another in zip(vars(self).values(), vars(other).values(), strict=True)))

    def means(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean of each feature and of each target."""
        return self.feature_p / self.n_windows, self.target_s / self.n_windows

    def about(self, mean_p: torch.Tensor, mean_s: torch.Tensor) -> Products:
        """Mean products of what is left of features and targets when `mean_p` and `mean_s` are taken off."""
        own_p, own_s = self.means()
        gram_pp = self.gram_pp / self.n_windows - torch.outer(own_p, own_p) + torch.outer(own_p - mean_p, own_p - mean_p)
        cross_ps = self.cross_ps / self.n_windows - torch.outer(own_p, own_s) + torch.outer(own_p - mean_p, own_s - mean_s)
        return Products(gram_pp, cross_ps, self.target_sq_s / self.n_windows - own_s**2 + (own_s - mean_s) ** 2)


class FeatureRidge(Baseline):
    """A weight for each feature and target, about the means of the training windows."""

    weight_ps: torch.Tensor
    feature_mean_p: torch.Tensor
    target_mean_s: torch.Tensor

    def __init__(self, config: FeatureRidgeConfig, signals: SignalPair, n_features: int) -> None:
        super().__init__()
        self.penalties = config.penalties
        self.register_buffer("weight_ps", torch.zeros(n_features, signals.target.n_channels))
        self.register_buffer("feature_mean_p", torch.zeros(n_features))
        self.register_buffer("target_mean_s", torch.zeros(signals.target.n_channels))

    @abstractmethod
    def features(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Take features of a batch of windows, shape (batch, n_features)."""

    def new_statistics(self) -> "FeatureStatistics":
        """Moments of no window yet."""
        return FeatureStatistics(self)

    def solve(self, training: Statistics, validation: Statistics) -> None:
        """Solve for each penalty and keep the one with the least squared error on validation windows, targets weighted alike."""
        assert isinstance(training, FeatureStatistics)
        assert isinstance(validation, FeatureStatistics)
        mean_p, mean_s = training.moments.means()
        fitted, observed = training.moments.about(mean_p, mean_s), validation.moments.about(mean_p, mean_s)
        best_ps = best_solution(fitted, observed, [torch.tensor([penalty]) for penalty in self.penalties])
        self.weight_ps = best_ps.float().contiguous()
        self.feature_mean_p, self.target_mean_s = mean_p.float(), mean_s.float()

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict the volume after each window, shape (batch, n_target, 1)."""
        return ((self.features(x_bct) - self.feature_mean_p) @ self.weight_ps + self.target_mean_s)[..., None]


class FeatureStatistics:
    """Moments of the features that a ridge takes of windows.

    Parameters
    ----------
    ridge : FeatureRidge
        It stays as it is.
    moments : FeatureMoments, optional
        Of no window, when None.
    """

    def __init__(self, ridge: FeatureRidge, moments: FeatureMoments | None = None) -> None:
        self._ridge = ridge
        n_features, n_target = ridge.weight_ps.shape
        shapes = (n_features,), (n_target,), (n_features, n_features), (n_features, n_target), (n_target,)
        self.moments = moments or FeatureMoments(0, *(torch.zeros(shape, dtype=torch.float64) for shape in shapes))

    def accumulate(self, x_bct: torch.Tensor, y_bst: torch.Tensor) -> None:
        """Take in a batch of windows."""
        x_bp, y_bs = self._ridge.features(x_bct).double(), y_bst[..., 0].double()
        self.moments += FeatureMoments(len(x_bp), x_bp.sum(0), y_bs.sum(0), x_bp.T @ x_bp, x_bp.T @ y_bs, y_bs.square().sum(0))

    def __add__(self, other: Self) -> "FeatureStatistics":
        return FeatureStatistics(self._ridge, self.moments + other.moments)
