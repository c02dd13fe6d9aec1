"""Ridge regression from source to target, per time point or over lags.

Shape suffixes: b batch, c source channel, s target sensor, t time, l lag, p lag and channel.
"""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch.nn.functional import conv1d, pad

from crossmodal.config.models import RidgeConfig
from crossmodal.models.base import Baseline, Shapes, Statistics


@dataclass
class RidgeMoments:
    """Second moments of lagged sources and targets, summed over windows with zeros around them, in float64.

    The Gram matrix of all lags is the block Toeplitz matrix of the sources' lagged products, less what the outputs around each
    window, which no target belongs to, add to those.

    Attributes
    ----------
    n_samples : int
        Target samples.
    source_lcc : Tensor, shape (4 h + 1, n_source, n_source)
        Sum of x(t) x(t + lag)' for lags from -2 h to 2 h.
    outside_pp : Tensor, shape (lags x n_source, lags x n_source)
        Gram matrix of the outputs around the windows.
    cross_lcs : Tensor, shape (2 h + 1, n_source, n_target)
        Sum of x(t) y(t + lag)' for lags from -h to h.
    target_s : Tensor, shape (n_target,)
        Sum of y(t)^2.
    """

    half_length: int
    n_samples: int
    source_lcc: torch.Tensor
    outside_pp: torch.Tensor
    cross_lcs: torch.Tensor
    target_s: torch.Tensor

    @classmethod
    def empty(cls, half_length: int, n_source: int, n_target: int) -> "RidgeMoments":
        """Moments of no window."""
        n_lags = 2 * half_length + 1
        shapes = (2 * n_lags - 1, n_source, n_source), (n_lags * n_source,) * 2, (n_lags, n_source, n_target), (n_target,)
        return cls(half_length, 0, *(torch.zeros(shape, dtype=torch.float64) for shape in shapes))

    def accumulate(self, x_bct: torch.Tensor, y_bst: torch.Tensor) -> None:
        """Take in a batch of windows."""
        x_bct, y_bst = x_bct.double(), y_bst.double()
        self.n_samples += y_bst.shape[0] * y_bst.shape[2]
        self.source_lcc = self.source_lcc + _lagged_products(x_bct, x_bct, 2 * self.half_length)
        self.cross_lcs = self.cross_lcs + _lagged_products(x_bct, y_bst, self.half_length)
        self.target_s = self.target_s + y_bst.square().sum((0, 2))
        if self.half_length:
            outside_np = _outside_design(x_bct, self.half_length)
            self.outside_pp = self.outside_pp + outside_np.T @ outside_np

    def __add__(self, other: Self) -> "RidgeMoments":
        return replace(
            self,
            n_samples=self.n_samples + other.n_samples,
            source_lcc=self.source_lcc + other.source_lcc,
            outside_pp=self.outside_pp + other.outside_pp,
            cross_lcs=self.cross_lcs + other.cross_lcs,
            target_s=self.target_s + other.target_s,
        )

    def gram(self) -> torch.Tensor:
        """Mean product of lagged sources, shape (p, p), lag by lag."""
        n_lags, n_source, _ = self.cross_lcs.shape
        lag = torch.arange(n_lags)
        toeplitz_pp = self.source_lcc[n_lags - 1 + lag[:, None] - lag].permute(0, 2, 1, 3).reshape(n_lags * n_source, n_lags * n_source)
        return (toeplitz_pp - self.outside_pp) / self.n_samples

    def cross(self) -> torch.Tensor:
        """Mean product of lagged sources and targets, shape (p, n_target)."""
        return self.cross_lcs.flatten(0, 1) / self.n_samples


class Ridge(Baseline):
    """A two-sided FIR filter a channel pair; with `lag_s` 0, one weight.

    Source: the forward model of the multivariate temporal response function (Crosse et al. 2016, mTRF), with lags both ways.
    It has no intercept: sources and targets are high-passed.
    """

    weight_scl: torch.Tensor

    def __init__(self, config: RidgeConfig, shapes: Shapes) -> None:
        super().__init__()
        self.half_length = round(config.lag_s * shapes.sfreq)
        self.penalties = config.penalties
        self.register_buffer("weight_scl", torch.zeros(shapes.n_target, shapes.n_source, 2 * self.half_length + 1))

    def new_statistics(self) -> RidgeMoments:
        """Moments of no window yet."""
        n_target, n_source, _ = self.weight_scl.shape
        return RidgeMoments.empty(self.half_length, n_source, n_target)

    def solve(self, training: Statistics, validation: Statistics) -> None:
        """Solve for each penalty and keep the one with the least squared error on validation windows, sensors weighted alike."""
        assert isinstance(training, RidgeMoments)
        assert isinstance(validation, RidgeMoments)
        solutions = [_solution(training.gram(), training.cross(), penalty) for penalty in self.penalties]
        gram_pp, cross_ps = validation.gram(), validation.cross()
        power_s = (validation.target_s / validation.n_samples).clamp_min(torch.finfo(torch.float64).tiny)
        errors = [float((((gram_pp @ w_ps - 2 * cross_ps) * w_ps).sum(0) / power_s).sum()) for w_ps in solutions]
        best_ps = solutions[errors.index(min(errors))]
        n_target, n_source, n_lags = self.weight_scl.shape
        # The filter's tap k multiplies the source k samples after t - h, which is lag h - k.
        self.weight_scl = best_ps.reshape(n_lags, n_source, n_target).flip(0).permute(2, 1, 0).float().contiguous()

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Filter the source, zero outside the window."""
        return conv1d(x_bct, self.weight_scl, padding=self.half_length)


def _solution(gram_pp: torch.Tensor, cross_ps: torch.Tensor, penalty: float) -> torch.Tensor:
    """Solve the penalised normal equations; the penalty also settles the directions that an average reference leaves without variance."""
    variances_p = gram_pp.diagonal()
    variances_p += penalty * variances_p.mean()
    return torch.cholesky_solve(cross_ps, torch.linalg.cholesky(gram_pp))


def _lagged_products(a_bct: torch.Tensor, b_bst: torch.Tensor, most: int) -> torch.Tensor:
    """Sum over windows and t of a(t) b(t + lag)', both zero outside, for lags from -most to most: shape (2 most + 1, n_a, n_b)."""
    if not most:
        return torch.einsum("bct,bst->cs", a_bct, b_bst)[None]
    n_fft = a_bct.shape[2] + most
    a_fcb, b_fbs = (torch.fft.rfft(windows, n_fft).permute(order) for windows, order in ((a_bct, (2, 1, 0)), (b_bst, (2, 0, 1))))
    products_lcs = torch.fft.irfft(a_fcb.conj() @ b_fbs, n_fft, dim=0)
    return torch.cat([products_lcs[-most:], products_lcs[: most + 1]])


def _outside_design(x_bct: torch.Tensor, half_length: int) -> torch.Tensor:
    """Lagged sources at the outputs before and after each window: shape (windows x 2 h, lags x channels), lag -h first.

    Column (lag, c) of output t holds x_c(t - lag).
    """
    n_lags = 2 * half_length + 1
    before_bct = pad(x_bct[..., :half_length], (2 * half_length, 0))[..., : 3 * half_length]
    after_bct = pad(x_bct[..., -half_length:], (0, 2 * half_length))[..., -3 * half_length :]
    designs = [edge_bct.unfold(2, n_lags, 1).flip(3).permute(0, 2, 3, 1).flatten(0, 1).flatten(1) for edge_bct in (before_bct, after_bct)]
    return torch.cat(designs)
