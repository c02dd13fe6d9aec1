"""Lagged covariances of multichannel recordings, and the normal equations of a two-sided FIR made of them.

Shape suffixes: t time, c input channel, s target sensor, l lag, f frequency, g segment.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import next_fast_len, rfft
from scipy.linalg import cho_factor, cho_solve

Array = NDArray[np.float64]

_LEAST_SEGMENT = 1024


def lagged_products(a_tc: Array, b_ts: Array, half_length: int) -> Array:
    """Sum over t of ``a(t) b(t + lag)'``, both zero outside, for lags from -half_length to +half_length.

    Returns
    -------
    ndarray, shape (2 * half_length + 1, n_a, n_b)
        Exact: each segment of `a` is multiplied, in the frequency domain, with the stretch of `b` that its lags reach.
    """
    n_times, n_a = a_tc.shape
    reach = 2 * half_length
    n_fft = next_fast_len(max(4 * reach, _LEAST_SEGMENT), real=True)
    step = n_fft - reach
    n_segments = -(-n_times // step)
    padded_a_tc = np.pad(a_tc, ((0, n_segments * step - n_times), (0, 0)))
    padded_b_ts = np.pad(b_ts, ((half_length, n_segments * step + half_length - n_times), (0, 0)))
    a_gfc = rfft(padded_a_tc.reshape(n_segments, step, n_a), n_fft, axis=1)
    b_gsf = rfft(sliding_window_view(padded_b_ts, n_fft, axis=0)[::step], axis=2)
    spectrum_fcs = a_gfc.conj().transpose(1, 2, 0) @ b_gsf.transpose(2, 0, 1)
    return _first_lags(spectrum_fcs, n_fft, reach + 1)


def _first_lags(spectrum_fcs: NDArray[np.complex128], n_fft: int, n_lags: int) -> Array:
    """What irfft gives first along its axis: where few lags are wanted of many, sums for those alone are several times faster."""
    n_freqs = len(spectrum_fcs)
    phase_lf = 2 * np.pi / n_fft * np.outer(np.arange(n_lags), np.arange(n_freqs))
    twins_f = np.full(n_freqs, 2.0)
    twins_f[0] = 1.0
    if n_fft % 2 == 0:
        twins_f[-1] = 1.0
    flat_fp = spectrum_fcs.reshape(n_freqs, -1)
    lags_lp = (twins_f * np.cos(phase_lf)) @ flat_fp.real - (twins_f * np.sin(phase_lf)) @ flat_fp.imag
    return lags_lp.reshape(n_lags, *spectrum_fcs.shape[1:]) / n_fft


@dataclass(frozen=True)
class FirMoments:
    """Second moments from which an FIR with lags -half_length to +half_length follows; additive over stretches of recording.

    Attributes
    ----------
    n_times : int
        Samples summed over.
    input_lcc : ndarray, shape (4 * half_length + 1, n_channels, n_channels)
        Sum of x(t) x(t + lag)' for lags up to the FIR's full length.
    cross_lcs : ndarray, shape (2 * half_length + 1, n_channels, n_sensors)
        Sum of x(t) y(t + lag)'.
    target_s : ndarray, shape (n_sensors,)
        Sum of y(t)^2.
    """

    n_times: int
    input_lcc: Array
    cross_lcs: Array
    target_s: Array

    @classmethod
    def of(cls, input_tc: Array, target_ts: Array, half_length: int) -> "FirMoments":
        """Sum over one stretch without interruption, zero outside."""
        input_lcc = lagged_products(input_tc, input_tc, 2 * half_length)
        cross_lcs = lagged_products(input_tc, target_ts, half_length)
        return cls(len(input_tc), input_lcc, cross_lcs, np.square(target_ts).sum(axis=0))

    def __add__(self, other: "FirMoments") -> "FirMoments":
        return FirMoments(
            self.n_times + other.n_times,
            self.input_lcc + other.input_lcc,
            self.cross_lcs + other.cross_lcs,
            self.target_s + other.target_s,
        )

    def solve(self, penalty_l: Array) -> tuple[Array, Array]:
        """Fit the FIR by ridge regression.

        Parameters
        ----------
        penalty_l : ndarray, shape (2 * half_length + 1,)
            Prior on the taps: samples of white data that it is worth, at the mean power of an input channel.

        Returns
        -------
        fir_lcs : ndarray, shape (2 * half_length + 1, n_channels, n_sensors)
            ``y(t) = sum over lags of fir[lag]' x(t - lag)``.
        residual_s : ndarray, shape (n_sensors,)
            Summed squared error on what it was fitted on.

        Notes
        -----
        Autocorrelation method: the Gram matrix is block Toeplitz. Its size, lags times channels, is some thousands, where a dense Cholesky
        takes seconds and block Toeplitz solvers lose digits in the stop band.
        """
        n_lags, n_channels, n_sensors = self.cross_lcs.shape
        lag = np.arange(n_lags)
        size = n_lags * n_channels
        gram = self.input_lcc[n_lags - 1 + lag[:, None] - lag].transpose(0, 2, 1, 3).reshape(size, size)
        channel_power = np.trace(self.input_lcc[n_lags - 1]) / (n_channels * self.n_times)
        penalty = np.repeat(penalty_l * channel_power, n_channels)
        gram[np.diag_indices(size)] += penalty
        products = self.cross_lcs.reshape(size, n_sensors)
        fir = cho_solve(cho_factor(gram, overwrite_a=True, check_finite=False), products, check_finite=False)
        residual_s = self.target_s - np.einsum("ps,ps->s", fir, products) - penalty @ fir**2
        return fir.reshape(n_lags, n_channels, n_sensors), residual_s


def apply_fir(fir_lcs: Array, input_tc: Array) -> Array:
    """Predict where all lags are known, shape (n_times - n_lags + 1, n_sensors): from half_length samples in to as many before the end."""
    n_lags, _, n_sensors = fir_lcs.shape
    n_valid = len(input_tc) - n_lags + 1
    predicted_ts = np.zeros((n_valid, n_sensors))
    for index in range(n_lags):
        start = n_lags - 1 - index
        predicted_ts += input_tc[start : start + n_valid] @ fir_lcs[index]
    return predicted_ts
