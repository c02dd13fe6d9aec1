"""Linear maps between sensors that are optimal for known spectra, and how well any such map does on a subject.

All signals are zero-mean, stationary and Gaussian, with real cross-spectra (the head conducts without delay). Densities are
one-sided: SI units of both channels per Hz. Shape suffixes: f frequency, c input channel, s target sensor.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossmodal.evaluation.band import Band

Array = NDArray[np.float64]

# Relative to the largest eigenvalue of balanced channels: far above rounding, far below the noise of any sensor.
_RANK_TOLERANCE = 1e-11


@dataclass(frozen=True)
class JointSpectra:
    """Cross-spectra of input and target channels after preprocessing, but for the filter, whose gain is in `band`.

    Attributes
    ----------
    band : Band
        Frequencies and their weights.
    input_fcc : ndarray, shape (n_freqs, n_channels, n_channels)
        Of the input channels.
    cross_fsc : ndarray, shape (n_freqs, n_sensors, n_channels)
        Of target sensors with input channels.
    target_fss : ndarray, shape (n_freqs, n_sensors, n_sensors)
        Of the target sensors.
    target_types : tuple of str
        'eeg', 'mag' or 'grad' a sensor; figures are pooled within a type, never over units.
    """

    band: Band
    input_fcc: Array
    cross_fsc: Array
    target_fss: Array
    target_types: tuple[str, ...]


@dataclass(frozen=True)
class PooledScore:
    """Explained variance of all sensors of one type, and how it scatters in recordings of finite duration.

    Attributes
    ----------
    explained_variance : float
        One minus summed residual variance over summed variance, in SI units.
    error_rate_s : float
        Variance of the explained variance measured in one second of data; it falls as one over duration.
    """

    explained_variance: float
    error_rate_s: float

    def standard_error(self, duration_s: float) -> float:
        """Standard deviation of the explained variance measured in `duration_s` seconds of data, overlaps counted once."""
        return float(np.sqrt(self.error_rate_s / duration_s))


@dataclass(frozen=True)
class LinearScore:
    """How well a linear map predicts a subject, in expectation.

    Attributes
    ----------
    explained_variance_s : ndarray, shape (n_sensors,)
        Sensor by sensor.
    pooled : dict of str to PooledScore
        A channel type each.
    """

    explained_variance_s: Array
    pooled: dict[str, PooledScore]


def wiener_filter(input_fcc: Array, cross_fsc: Array) -> Array:
    """Best linear map at each frequency, S_yx S_xx^+, shape (n_freqs, n_sensors, n_channels).

    The pseudo-inverse is taken on the range of S_xx, as an average reference leaves one dimension empty; channels are balanced first, since
    teslas and teslas per metre differ by a factor of 1e2 to 1e3.

    Source: N. Wiener, Extrapolation, Interpolation, and Smoothing of Stationary Time Series (1949), the unrealisable (two-sided) filter.
    """
    scale_c = np.sqrt(np.einsum("fcc->c", input_fcc))
    scale_c[scale_c == 0] = 1.0
    values_fc, vectors_fcc = np.linalg.eigh(input_fcc / np.outer(scale_c, scale_c))
    kept_fc = values_fc > _RANK_TOLERANCE * values_fc[:, -1:]
    inverse_fc = np.divide(1.0, values_fc, out=np.zeros_like(values_fc), where=kept_fc)
    rotated_fsc = (cross_fsc / scale_c) @ vectors_fcc
    return (rotated_fsc * inverse_fc[:, None, :]) @ vectors_fcc.transpose(0, 2, 1) / scale_c


def instantaneous_filter(spectra: JointSpectra) -> Array:
    """Best linear map of each sample to the one at the same time, shape (1, n_sensors, n_channels)."""
    weights = spectra.band.weights_hz
    input_cc = np.tensordot(weights, spectra.input_fcc, axes=1)
    cross_sc = np.tensordot(weights, spectra.cross_fsc, axes=1)
    return wiener_filter(input_cc[None], cross_sc[None])


def mean_spectra(subjects: Sequence[JointSpectra]) -> JointSpectra:
    """Mean over subjects with the same channels and band: what a linear map fitted on all of them sees."""
    input_fcc = np.mean([subject.input_fcc for subject in subjects], axis=0)
    cross_fsc = np.mean([subject.cross_fsc for subject in subjects], axis=0)
    target_fss = np.mean([subject.target_fss for subject in subjects], axis=0)
    return JointSpectra(subjects[0].band, input_fcc, cross_fsc, target_fss, subjects[0].target_types)


def score_filter(filter_fsc: Array, spectra: JointSpectra) -> LinearScore:
    """Expected explained variance of a linear map on a subject.

    Parameters
    ----------
    filter_fsc : ndarray, shape (n_freqs or 1, n_sensors, n_channels)
        Transfer function, from any subject's spectra; a single one serves all frequencies.
    spectra : JointSpectra
        Of the subject that is predicted.

    Notes
    -----
    Target and error have spectra S_yy, S_ee = S_yy - W S_xy - S_yx W' + W S_xx W' and S_ye = S_yy - S_yx W'. The time average
    over T seconds of a quadratic form z' M z scatters with variance (1/T) int tr[(M S_zz)^2] df for one-sided densities (Bendat &
    Piersol, Random Data, 4th ed., section 8.2, for vectors by Isserlis' theorem). Explained variance is 1 - R/V, with R and V the
    powers of error and target; to first order its sampling error is ((R/V) V_hat - R_hat) / V, such a form of z = (e, y) with
    M = diag(-1, R/V) / V.
    """
    explained_fss = filter_fsc @ spectra.cross_fsc.transpose(0, 2, 1)
    predicted_fss = filter_fsc @ spectra.input_fcc @ filter_fsc.transpose(0, 2, 1)
    error_target_fss = spectra.target_fss - explained_fss
    error_fss = error_target_fss - explained_fss.transpose(0, 2, 1) + predicted_fss
    weights = spectra.band.weights_hz
    residual_s = weights @ np.einsum("fss->fs", error_fss)
    variance_s = weights @ np.einsum("fss->fs", spectra.target_fss)
    pooled = {}
    for kind in dict.fromkeys(spectra.target_types):
        of_kind = np.flatnonzero(np.array(spectra.target_types) == kind)
        block = np.ix_(np.arange(len(weights)), of_kind, of_kind)
        pooled[kind] = _pool(error_fss[block], error_target_fss[block], spectra.target_fss[block], spectra.band)
    return LinearScore(1 - residual_s / variance_s, pooled)


def _pool(error_fss: Array, error_target_fss: Array, target_fss: Array, band: Band) -> PooledScore:
    """Pool sensors of one type; the products of densities are weighted by the squared gain, once for each density."""
    total = band.weights_hz @ np.einsum("fss->f", target_fss)
    ratio = band.weights_hz @ np.einsum("fss->f", error_fss) / total
    products_f = (
        np.einsum("fst,fst->f", error_fss, error_fss)
        - 2 * ratio * np.einsum("fst,fst->f", error_target_fss, error_target_fss)
        + ratio**2 * np.einsum("fst,fst->f", target_fss, target_fss)
    )
    return PooledScore(float(1 - ratio), float(band.squared_weights_hz @ products_f / total**2))
