"""How far predictions are from the truth: sums over the windows of one subject, in SI units and double precision."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

Floats = NDArray[np.float64]

_NO_SIGNAL = 1e-12  # power relative to the truth's below which a prediction is constant up to rounding
_SENSOR_SUMS = ("truth", "prediction", "truth_sq", "prediction_sq", "product", "error_sq", "reference_sq")


@dataclass(frozen=True)
class SensorMetrics:
    """Scores of each sensor of one subject; each array (n_sensors,), NaN where undefined.

    Attributes
    ----------
    r : Pearson correlation of truth and prediction over all samples of all windows.
    r2 : 1 - SSE / SS about the sensor's own mean (coefficient of determination).
    nmse : SSE / sum of squares of the truth about zero.
    explained_variance : 1 - SSE / SS about the fold's training mean, which alone the trivial predictor knows.
    rms_error : root of the mean squared error, V, T or T/m.
    """

    r: Floats
    r2: Floats
    nmse: Floats
    explained_variance: Floats
    rms_error: Floats


@dataclass(frozen=True)
class TypeMetrics:
    """Scores of one subject over the sensors of one channel type.

    Attributes
    ----------
    explained_variance : pooled: 1 - SSE / SS about the training mean, both summed over sensors, times and windows.
    r, r2, nmse : means over sensors.
    topography_r : correlation over sensors of the true and predicted field at a time, averaged over times and windows.
    rms_error : over sensors and times, V, T or T/m.
    log_psd_error_db : a band's mean absolute difference of 10 log10 power density over its frequencies and the sensors; NaN for
        a prediction that is constant, or the same in each window as the training mean is.
    """

    explained_variance: float
    r: float
    r2: float
    nmse: float
    topography_r: float
    rms_error: float
    log_psd_error_db: dict[str, float]


def type_slices(types: tuple[str, ...]) -> dict[str, slice]:
    """Contiguous columns of each channel type; sensors come ordered by type."""
    slices = {}
    for kind in dict.fromkeys(types):
        first, count = types.index(kind), types.count(kind)
        assert set(types[first : first + count]) == {kind}, "sensors are not ordered by type"
        slices[kind] = slice(first, first + count)
    return slices


class TruthBlock:
    """Some windows of the truth with all that does not depend on the predictor, computed once for all predictors.

    Parameters
    ----------
    y_bst : ndarray, shape (n_windows, n_sensors, n_times)
        The truth, V, T or T/m.
    training_mean_st : ndarray, shape (n_sensors, n_times) or (n_sensors, 1)
        Mean of the fold's training targets, in the same units.
    types : tuple of str
        Channel type a sensor, ordered by type.
    sfreq : float
        Hz.
    """

    def __init__(self, y_bst: NDArray[np.floating], training_mean_st: Floats, types: tuple[str, ...], sfreq: float) -> None:
        self.sfreq = sfreq
        self.slices = type_slices(types)
        # Sums of squares are taken about a constant near the mean: an offset far larger than the signal costs no digits.
        self.offset_s = training_mean_st.mean(axis=-1)
        self.y_bst = y_bst.astype(np.float64)
        self.deviation_bst = self.y_bst - self.offset_s[:, None]
        self.reference_sq_s = _sum_squares(self.y_bst - training_mean_st)
        self.psd_sf = window_psd(self.y_bst, sfreq)
        self._patterns = {kind: _patterns(self.y_bst[:, columns]) for kind, columns in self.slices.items()}

    def topography_sums(self, kind: str, prediction_bst: Floats) -> Floats:
        """Sum over windows and times of the correlation over sensors, and the number of times at which there is one."""
        truth_bst, truth_norm_bt = self._patterns[kind]
        pattern_bst, norm_bt = _patterns(prediction_bst)
        defined_bt = (norm_bt**2 > _NO_SIGNAL * np.mean(truth_norm_bt**2)) & (truth_norm_bt > 0)
        product_bt = np.einsum("bst,bst->bt", truth_bst, pattern_bst)
        correlation_bt = np.divide(product_bt, truth_norm_bt * norm_bt, out=np.zeros_like(product_bt), where=defined_bt)
        return np.array([correlation_bt.sum(), np.count_nonzero(defined_bt)])


class SubjectSums:
    """Running sums for one predictor and one subject: `add` blocks of windows, then ask for the scores.

    Parameters
    ----------
    types : tuple of str
        Channel type a sensor, ordered by type.
    sfreq : float
        Hz.
    n_times : int
        Samples a window.
    """

    def __init__(self, types: tuple[str, ...], sfreq: float, n_times: int) -> None:
        self.slices = type_slices(types)
        self.frequencies_hz = fft.rfftfreq(n_times, 1 / sfreq)
        self._n_windows = 0
        self._n_times = n_times
        self._offset_s = np.full(len(types), np.nan)
        self._sensor_sums = {name: np.zeros(len(types)) for name in _SENSOR_SUMS}
        self._truth_psd_sf = np.zeros((len(types), len(self.frequencies_hz)))
        self._prediction_psd_sf = np.zeros_like(self._truth_psd_sf)
        self._first_st: Floats | None = None
        self._recurs_s = np.ones(len(types), dtype=bool)
        self._topography = {kind: np.zeros(2) for kind in self.slices}

    def add(self, truth: TruthBlock, prediction_bst: NDArray[np.floating]) -> None:
        """Add windows; `prediction_bst` (n_windows, n_sensors, n_times) in the truth's units."""
        assert prediction_bst.shape == truth.y_bst.shape, f"prediction {prediction_bst.shape} for truth {truth.y_bst.shape}"
        assert self._n_windows == 0 or np.array_equal(self._offset_s, truth.offset_s), "blocks of different folds in one sum"
        predicted_bst = prediction_bst.astype(np.float64)
        deviation_bst = predicted_bst - truth.offset_s[:, None]
        self._offset_s = truth.offset_s
        self._n_windows += len(predicted_bst)
        if self._first_st is None:
            self._first_st = predicted_bst[0]
        if self._recurs_s.any():
            self._recurs_s &= (predicted_bst == self._first_st).all(axis=(0, 2))
        sums = self._sensor_sums
        sums["truth"] += truth.deviation_bst.sum(axis=(0, 2))
        sums["prediction"] += deviation_bst.sum(axis=(0, 2))
        sums["truth_sq"] += _sum_squares(truth.deviation_bst)
        sums["prediction_sq"] += _sum_squares(deviation_bst)
        sums["product"] += np.einsum("bst,bst->s", truth.deviation_bst, deviation_bst)
        sums["error_sq"] += _sum_squares(truth.deviation_bst - deviation_bst)
        sums["reference_sq"] += truth.reference_sq_s
        self._truth_psd_sf += truth.psd_sf
        self._prediction_psd_sf += window_psd(predicted_bst, truth.sfreq)
        for kind, columns in self.slices.items():
            self._topography[kind] += truth.topography_sums(kind, predicted_bst[:, columns])

    def sensors(self) -> SensorMetrics:
        """Scores of each sensor."""
        assert self._n_windows, "no window was added"
        sums, count = self._sensor_sums, self._n_windows * self._n_times
        truth_ss, prediction_ss = self._squares_about_mean()
        covariance = sums["product"] - sums["truth"] * sums["prediction"] / count
        about_zero = sums["truth_sq"] + 2 * self._offset_s * sums["truth"] + count * self._offset_s**2
        return SensorMetrics(
            r=_divide(covariance, np.sqrt(np.where(self._varies(), truth_ss * prediction_ss, 0.0))),
            r2=1 - _divide(sums["error_sq"], truth_ss),
            nmse=_divide(sums["error_sq"], about_zero),
            explained_variance=1 - _divide(sums["error_sq"], sums["reference_sq"]),
            rms_error=np.sqrt(sums["error_sq"] / count),
        )

    def types(self, bands_hz: Mapping[str, tuple[float, float]]) -> dict[str, TypeMetrics]:
        """Scores of each channel type, with the log-PSD error in the named bands (Hz, lower end included)."""
        sensors, psd_error_sf = self.sensors(), log_psd_error_db(*self.psd())
        psd_error_sf[~self._varies() | (self._recurs_s & (self._n_windows > 1))] = np.nan
        metrics = {}
        for kind, columns in self.slices.items():
            error_sq, reference_sq = (self._sensor_sums[name][columns].sum() for name in ("error_sq", "reference_sq"))
            metrics[kind] = TypeMetrics(
                explained_variance=float(1 - _divide(error_sq, reference_sq)),
                r=_mean(sensors.r[columns]),
                r2=_mean(sensors.r2[columns]),
                nmse=_mean(sensors.nmse[columns]),
                topography_r=float(_divide(*self._topography[kind])),
                rms_error=float(np.sqrt(np.mean(sensors.rms_error[columns] ** 2))),
                log_psd_error_db={
                    name: _mean(psd_error_sf[columns, (low <= self.frequencies_hz) & (self.frequencies_hz < high)])
                    for name, (low, high) in bands_hz.items()
                },
            )
        return metrics

    def _squares_about_mean(self) -> tuple[Floats, Floats]:
        """Sums of squares of truth and prediction, each sensor about its own mean."""
        sums, count = self._sensor_sums, self._n_windows * self._n_times
        truth_ss, prediction_ss = (sums[f"{name}_sq"] - sums[name] ** 2 / count for name in ("truth", "prediction"))
        return truth_ss, prediction_ss

    def _varies(self) -> NDArray[np.bool_]:
        """Whether the prediction of a sensor is more than a constant."""
        truth_ss, prediction_ss = self._squares_about_mean()
        return prediction_ss > _NO_SIGNAL * truth_ss

    def reference_variance(self) -> Floats:
        """Mean square of the truth about the training mean, (n_sensors,), unit squared."""
        return self._sensor_sums["reference_sq"] / (self._n_windows * self._n_times)

    def psd(self) -> tuple[Floats, Floats]:
        """Mean power densities of truth and prediction over windows, each (n_sensors, n_freqs), unit squared per Hz."""
        return self._truth_psd_sf / self._n_windows, self._prediction_psd_sf / self._n_windows


def window_psd(y_bst: Floats, sfreq: float) -> Floats:
    """Sum over windows of their one-sided Hann periodograms, mean removed (Welch 1967, windows as given).

    Parameters
    ----------
    y_bst : ndarray, shape (n_windows, n_sensors, n_times)
        V, T or T/m.
    sfreq : float
        Hz.

    Returns
    -------
    ndarray, shape (n_sensors, n_times // 2 + 1)
        Unit squared per Hz, times the number of windows.
    """
    n_times = y_bst.shape[-1]
    taper_t = signal.get_window("hann", n_times)
    tapered_bst = y_bst - y_bst.mean(axis=-1, keepdims=True)
    tapered_bst *= taper_t
    spectrum_bsf = fft.rfft(tapered_bst, axis=-1, overwrite_x=True)
    density_sf = sum(np.einsum("bsf,bsf->sf", part_bsf, part_bsf) for part_bsf in (spectrum_bsf.real, spectrum_bsf.imag))
    # One-sided: what lies at negative frequencies counts too, but 0 Hz and, of an even length, half the sampling rate have no such twin.
    density_sf[:, 1 : (n_times + 1) // 2] *= 2
    return density_sf / (sfreq * np.sum(taper_t**2))


def log_psd_error_db(truth_psd: Floats, prediction_psd: Floats) -> Floats:
    """Absolute difference of two power densities in dB; a prediction without power counts as 120 dB below the truth."""
    ratio = _divide(prediction_psd, truth_psd)
    return np.abs(10 * np.log10(np.maximum(ratio, _NO_SIGNAL)))


def _patterns(y_bst: Floats) -> tuple[Floats, Floats]:
    """Field over sensors at each time without its mean, and its norm (n_windows, n_times)."""
    pattern_bst = y_bst - y_bst.mean(axis=1, keepdims=True)
    return pattern_bst, np.sqrt(np.einsum("bst,bst->bt", pattern_bst, pattern_bst))


def _sum_squares(y_bst: Floats) -> Floats:
    return np.einsum("bst,bst->s", y_bst, y_bst)


def _divide(numerator: Floats | float, denominator: Floats | float) -> Floats:
    """The ratio, NaN where the denominator is not positive."""
    numerator, denominator = np.broadcast_arrays(np.asarray(numerator, dtype=float), np.asarray(denominator, dtype=float))
    return np.divide(numerator, denominator, out=np.full(denominator.shape, np.nan), where=denominator > 0)


def _mean(values: Floats) -> float:
    """Mean of the defined values; NaN without any."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else float("nan")
