"""Ridge regression from input to target, per time point or over lags.

Shape suffixes: b batch, c input channel, s target sensor, t time, l lag, p lag and channel.
"""

from dataclasses import dataclass, replace
from typing import Self

import torch
from pydantic import Field
from torch.nn.functional import conv1d, pad

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Baseline, ModelConfig, Statistics
from crossmodal.models.normal_equations import Products, best_solution

LAGGED_RIDGE = "lagged ridge"
# Optimal filters between sensors are close to instantaneous: a tap's prior variance falls by half at this lag.
_PRIOR_LAG_S = 0.005


class RidgeConfig(ModelConfig):
    """Linear regression per time point (lag_s 0), or with lags on both sides (an FIR, as mTRF)."""

    lag_s: float = Field(0.0, ge=0, description="lags from -lag_s to +lag_s")
    penalties: tuple[float, ...] = Field(
        (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0),
        min_length=1,
        description="in units of the mean input variance; chosen on validation subjects",
    )

    @property
    def title(self) -> str:
        """Tell ridges of different lags apart."""
        return f"{LAGGED_RIDGE} {1000 * self.lag_s:g} ms" if self.lag_s else "ridge"


def penalty_over_lags(half_length: int, sfreq: float) -> torch.Tensor:
    """How the penalty on the taps of an FIR rises with lag: 1 + (lag / 5 ms)^2, shape (2 half_length + 1,), lag -half_length first.

    Parameters
    ----------
    half_length : int
        Samples; lags run from minus this to plus this.
    sfreq : float
        Hz.
    """
    lags_s = torch.arange(-half_length, half_length + 1, dtype=torch.float64) / sfreq
    return 1 + (lags_s / _PRIOR_LAG_S) ** 2


@dataclass
class RidgeMoments:
    """Moments of lagged inputs and targets, summed over windows with zeros around them, in float64.

    The Gram matrix of all lags is the block Toeplitz matrix of the inputs' lagged products, less what the outputs around each
    window, which no target belongs to, add to those.

    Attributes
    ----------
    n_windows : int
    input_ct : Tensor, shape (n_input, n_times)
        Sum of the windows.
    target_st : Tensor, shape (n_target, n_times)
        Sum of their targets.
    input_lcc : Tensor, shape (4 h + 1, n_input, n_input)
        Sum of x(t) x(t + lag)' for lags from -2 h to 2 h.
    outside_pp : Tensor, shape (lags x n_input, lags x n_input)
        Gram matrix of the outputs around the windows.
    cross_lcs : Tensor, shape (2 h + 1, n_input, n_target)
        Sum of x(t) y(t + lag)' for lags from -h to h.
    target_sq_s : Tensor, shape (n_target,)
        Sum of y(t)^2.
    """

    half_length: int
    n_windows: int
    input_ct: torch.Tensor
    target_st: torch.Tensor
    input_lcc: torch.Tensor
    outside_pp: torch.Tensor
    cross_lcs: torch.Tensor
    target_sq_s: torch.Tensor

    @classmethod
    def empty(cls, half_length: int, n_input: int, n_target: int, n_times: int) -> "RidgeMoments":
        """Moments of no window."""
        n_lags = 2 * half_length + 1
        sums = (n_input, n_times), (n_target, n_times)
        products = (2 * n_lags - 1, n_input, n_input), (n_lags * n_input,) * 2, (n_lags, n_input, n_target), (n_target,)
        return cls(half_length, 0, *(torch.zeros(shape, dtype=torch.float64) for shape in sums + products))

    def accumulate(self, x_bct: torch.Tensor, y_bst: torch.Tensor) -> None:
        """Take in a batch of windows."""
        x_bct, y_bst = x_bct.double(), y_bst.double()
        self.n_windows += len(x_bct)
        self.input_ct = self.input_ct + x_bct.sum(0)
        self.target_st = self.target_st + y_bst.sum(0)
        self.input_lcc = self.input_lcc + _lagged_products(x_bct, x_bct, 2 * self.half_length)
        self.cross_lcs = self.cross_lcs + _lagged_products(x_bct, y_bst, self.half_length)
        self.target_sq_s = self.target_sq_s + y_bst.square().sum((0, 2))
        if self.half_length:
            outside_np = _outside_design(x_bct, self.half_length)
            self.outside_pp = self.outside_pp + outside_np.T @ outside_np

    def __add__(self, other: Self) -> "RidgeMoments":
        return replace(
            self,
            n_windows=self.n_windows + other.n_windows,
            input_ct=self.input_ct + other.input_ct,
            target_st=self.target_st + other.target_st,
            input_lcc=self.input_lcc + other.input_lcc,
            outside_pp=self.outside_pp + other.outside_pp,
            cross_lcs=self.cross_lcs + other.cross_lcs,
            target_sq_s=self.target_sq_s + other.target_sq_s,
        )

    def means(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean of each input channel and of each target sensor over windows and times."""
        return self.input_ct.mean(1) / self.n_windows, self.target_st.mean(1) / self.n_windows

    def about(self, mean_c: torch.Tensor, mean_s: torch.Tensor) -> Products:
        """Mean products of what is left of inputs and targets when `mean_c` and `mean_s` are taken off, zero outside the windows.

        All products are bilinear, so those with a constant follow from the sums of the windows.
        """
        n_lags, n_input, _ = self.cross_lcs.shape
        n_times = self.input_ct.shape[1]
        lag = torch.arange(n_lags)
        toeplitz_llcc = self.input_lcc[n_lags - 1 + lag[:, None] - lag]
        gram_pp = toeplitz_llcc.permute(0, 2, 1, 3).reshape(n_lags * n_input, n_lags * n_input) - self.outside_pp
        one_tl = _design(torch.ones(1, n_times, dtype=torch.float64), self.half_length)
        constant_pp = torch.kron(one_tl.T @ one_tl, torch.outer(mean_c, mean_c))
        with_constant_pp = torch.kron(_design(self.input_ct, self.half_length).T @ one_tl, mean_c[None])
        gram_pp = gram_pp - with_constant_pp - with_constant_pp.T + self.n_windows * constant_pp
        lagged_input_p = _design(self.input_ct, self.half_length).sum(0)
        lagged_mean_p = torch.kron(one_tl.sum(0), mean_c)
        lagged_target_ps = torch.kron(one_tl.T @ self.target_st.T, mean_c[:, None])
        cross_ps = self.cross_lcs.flatten(0, 1) - lagged_target_ps
        cross_ps = cross_ps - torch.outer(lagged_input_p - self.n_windows * lagged_mean_p, mean_s)
        n_samples = self.n_windows * n_times
        power_s = self.target_sq_s / n_samples - mean_s * (2 * self.target_st.sum(1) / n_samples - mean_s)
        return Products(gram_pp / n_samples, cross_ps / n_samples, power_s)


class Ridge(Baseline):
    """A two-sided FIR filter a channel pair, about the means of the training windows; with `lag_s` 0, one weight.

    Source: the forward model of the multivariate temporal response function (Crosse et al. 2016, mTRF), with lags both ways and a
    penalty that rises with lag.
    """

    weight_scl: torch.Tensor
    input_mean_c1: torch.Tensor
    target_mean_s1: torch.Tensor

    def __init__(self, config: RidgeConfig, signals: SignalPair) -> None:
        super().__init__()
        self.half_length = round(config.lag_s * signals.input.sfreq)
        self.penalties = config.penalties
        self.sfreq = signals.input.sfreq
        self.n_times = signals.input.n_times
        self.register_buffer("weight_scl", torch.zeros(signals.target.n_channels, signals.input.n_channels, 2 * self.half_length + 1))
        self.register_buffer("input_mean_c1", torch.zeros(signals.input.n_channels, 1))
        self.register_buffer("target_mean_s1", torch.zeros(signals.target.n_channels, 1))

    def new_statistics(self) -> RidgeMoments:
        """Moments of no window yet."""
        n_target, n_input, _ = self.weight_scl.shape
        return RidgeMoments.empty(self.half_length, n_input, n_target, self.n_times)

    def solve(self, training: Statistics, validation: Statistics) -> None:
        """Solve for each penalty and keep the one with the least squared error on validation windows, sensors weighted alike."""
        assert isinstance(training, RidgeMoments)
        assert isinstance(validation, RidgeMoments)
        mean_c, mean_s = training.means()
        fitted, observed = training.about(mean_c, mean_s), validation.about(mean_c, mean_s)
        rise_l = penalty_over_lags(self.half_length, self.sfreq)
        best_ps = best_solution(fitted, observed, [penalty * rise_l for penalty in self.penalties])
        n_target, n_input, n_lags = self.weight_scl.shape
        # The filter's tap k multiplies the input k samples after t - h, which is lag h - k.
        self.weight_scl = best_ps.reshape(n_lags, n_input, n_target).flip(0).permute(2, 1, 0).float().contiguous()
        self.input_mean_c1, self.target_mean_s1 = mean_c.float()[:, None], mean_s.float()[:, None]

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Filter what departs from the mean of the input, zero outside the window, and add the mean of the target."""
        return conv1d(x_bct - self.input_mean_c1, self.weight_scl, padding=self.half_length) + self.target_mean_s1


def _design(x_ct: torch.Tensor, half_length: int) -> torch.Tensor:
    """Lagged input at each output of one window, zero around it: shape (n_times, lags x channels), lag -h first.

    Column (lag, c) of output t holds x_c(t - lag).
    """
    windows_ctl = pad(x_ct, (half_length, half_length)).unfold(1, 2 * half_length + 1, 1)
    return windows_ctl.flip(2).permute(1, 2, 0).flatten(1)


def _lagged_products(a_bct: torch.Tensor, b_bst: torch.Tensor, most: int) -> torch.Tensor:
    """Sum over windows and t of a(t) b(t + lag)', both zero outside, for lags from -most to most: shape (2 most + 1, n_a, n_b)."""
    if not most:
        return torch.einsum("bct,bst->cs", a_bct, b_bst)[None]
    n_fft = a_bct.shape[2] + most
    a_fcb, b_fbs = (torch.fft.rfft(windows, n_fft).permute(order) for windows, order in ((a_bct, (2, 1, 0)), (b_bst, (2, 0, 1))))
    products_lcs = torch.fft.irfft(a_fcb.conj() @ b_fbs, n_fft, dim=0)
    return torch.cat([products_lcs[-most:], products_lcs[: most + 1]])


def _outside_design(x_bct: torch.Tensor, half_length: int) -> torch.Tensor:
    """Lagged inputs at the outputs before and after each window: shape (windows x 2 h, lags x channels), lag -h first.

    Column (lag, c) of output t holds x_c(t - lag).
    """
    n_lags = 2 * half_length + 1
    before_bct = pad(x_bct[..., :half_length], (2 * half_length, 0))[..., : 3 * half_length]
    after_bct = pad(x_bct[..., -half_length:], (0, 2 * half_length))[..., -3 * half_length :]
    designs = [edge_bct.unfold(2, n_lags, 1).flip(3).permute(0, 2, 3, 1).flatten(0, 1).flatten(1) for edge_bct in (before_bct, after_bct)]
    return torch.cat(designs)
