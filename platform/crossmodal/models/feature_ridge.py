"""Ridge regression from features of a window to the volume after it.

Shape suffixes: b batch, n window, c input channel, t time, p feature, k direction, s target.
"""

from abc import abstractmethod
from collections.abc import Sequence
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


class FeatureRidge(Baseline):
    """A weight for each feature and target, about the means of the training windows.

    Weights lie in the span of the training windows, which often are fewer than features: then the normal equations are solved there.
    """

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
        """Rows of no window yet."""
        return FeatureStatistics(self)

    def solve(self, training: Statistics, validation: Statistics) -> None:
        """Solve for each penalty and keep the one with the least squared error on validation windows, targets weighted alike."""
        assert isinstance(training, FeatureStatistics)
        assert isinstance(validation, FeatureStatistics)
        (x_np, y_ns), (seen_np, seen_ns) = training.rows(), validation.rows()
        mean_p, mean_s = x_np.mean(0), y_ns.mean(0)
        changes_nk, seen_nk, n_features = x_np - mean_p, seen_np - mean_p, len(mean_p)
        basis_pk = torch.linalg.qr(changes_nk.T).Q if len(x_np) < n_features else None
        if basis_pk is not None:
            changes_nk, seen_nk = changes_nk @ basis_pk, seen_nk @ basis_pk
        fitted, observed = Products.of(changes_nk, y_ns - mean_s), Products.of(seen_nk, seen_ns - mean_s)
        # A penalty is told in units of the mean variance of a feature, of which directions outside the span have none.
        penalties = [torch.tensor([penalty * changes_nk.shape[1] / n_features]) for penalty in self.penalties]
        best_ks = best_solution(fitted, observed, penalties).float()
        self.weight_ps = (best_ks if basis_pk is None else basis_pk.float() @ best_ks).contiguous()
        self.feature_mean_p, self.target_mean_s = mean_p.float(), mean_s.float()

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict the volume after each window, shape (batch, n_target, 1)."""
        return ((self.features(x_bct) - self.feature_mean_p) @ self.weight_ps + self.target_mean_s)[..., None]


class FeatureStatistics:
    """Features that a ridge takes of windows, and their targets, row by row.

    Volumes are few and voxels many: products of 2,800 features with 122,880 voxels would take 2.8 GB a subject, and the 300 volumes of a
    scan take 0.15 GB.

    Parameters
    ----------
    ridge : FeatureRidge
        It stays as it is.
    features, targets : sequence of Tensor, shapes (n, n_features) and (n, n_target)
        One after the other.
    """

    def __init__(self, ridge: FeatureRidge, features: Sequence[torch.Tensor] = (), targets: Sequence[torch.Tensor] = ()) -> None:
        self._ridge = ridge
        self.features, self.targets = list(features), list(targets)

    def accumulate(self, x_bct: torch.Tensor, y_bst: torch.Tensor) -> None:
        """Take in a batch of windows."""
        self.features.append(self._ridge.features(x_bct))
        self.targets.append(y_bst[..., 0])

    def rows(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Features and targets of all windows, shapes (n_windows, n_features) and (n_windows, n_target), in float64."""
        return torch.cat(self.features).double(), torch.cat(self.targets).double()

    def __add__(self, other: Self) -> "FeatureStatistics":
        return FeatureStatistics(self._ridge, self.features + other.features, self.targets + other.targets)
