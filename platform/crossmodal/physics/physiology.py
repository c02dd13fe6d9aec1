"""How blood oxygenation follows heartbeat and breath: heart rate, respiration volume, and the responses of BOLD to both."""

import mne
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter, uniform_filter1d
from scipy.signal import fftconvolve

# Over which heart rate and respiration volume are taken (Chang et al. 2009), s.
WINDOW_S = 6.0
# Both change within seconds; a few samples a second resolve the responses.
RATE_HZ = 10.0
RESPONSE_LENGTH_S = 50.0
# QRS complexes lie in this band; the upper edge stays below half of a low sampling rate.
_QRS_HZ, _HIGHEST_SHARE = (5.0, 35.0), 0.4
# An interval that differs by more from the median of its neighbours has a missed beat in it, or one that was none.
_MOST_CHANGE, _NEIGHBOURS = 0.3, 9


def cardiac_response(time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evaluate the response of BOLD to a unit impulse of heart rate.

    Parameters
    ----------
    time_s : float64 array
        Time since the impulse, s; before it the response is zero.

    Returns
    -------
    float64 array
        Same shape, in an arbitrary unit: a peak after 4 s, an undershoot after 12 s.

    Notes
    -----
    Source: Chang, Cunningham & Glover (2009), Influence of heart rate on the BOLD signal: the cardiac response function, NeuroImage
    44:857-869.
    """
    since_s = np.maximum(time_s, 0.0)
    response = 0.6 * since_s**2.7 * np.exp(-since_s / 1.6) - 16 / np.sqrt(2 * np.pi * 9) * np.exp(-0.5 * (since_s - 12) ** 2 / 9)
    # The Gaussian begins before the impulse, with 0.03 % of its height.
    return np.where(time_s < 0, 0.0, response)


def respiratory_response(time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evaluate the response of BOLD to a unit impulse of respiration volume.

    Parameters
    ----------
    time_s : float64 array
        Time since the impulse, s; before it the response is zero.

    Returns
    -------
    float64 array
        Same shape, in an arbitrary unit: a peak after 3 s, an undershoot after 15 s.

    Notes
    -----
    Source: Birn, Smith, Jones & Bandettini (2008), The respiration response function, NeuroImage 40:644-654, equation 3.
    """
    since_s = np.maximum(time_s, 0.0)
    return 0.6 * since_s**2.1 * np.exp(-since_s / 1.6) - 0.0023 * since_s**3.54 * np.exp(-since_s / 4.25)


def find_heartbeats(ecg_t: NDArray[np.floating], sfreq: float) -> NDArray[np.float64]:
    """Find R peaks with MNE's detector.

    Parameters
    ----------
    ecg_t : array, shape (n_times,)
        ECG in any unit and of either polarity.
    sfreq : float
        Hz, above 15.

    Returns
    -------
    float64 array, shape (n_beats,)
        s from the first sample.
    """
    raw = mne.io.RawArray(ecg_t[None].astype(np.float64), mne.create_info(["ECG"], sfreq, ["ecg"]), verbose="error")
    high_hz = min(_QRS_HZ[1], _HIGHEST_SHARE * sfreq)
    events, *_ = mne.preprocessing.find_ecg_events(raw, ch_name="ECG", l_freq=_QRS_HZ[0], h_freq=high_hz, verbose="error")
    return events[:, 0] / sfreq


def heart_rate(beats_s: NDArray[np.float64], times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Heart rate in a window about each time.

    Parameters
    ----------
    beats_s : float64 array, shape (n_beats,)
        Ascending; two at least.
    times_s : float64 array, shape (n_times,)

    Returns
    -------
    float64 array, shape (n_times,)
        Hz: one over the mean interval between beats. Before the first beats and after the last ones it is the rate there.

    Notes
    -----
    Source: Chang et al. (2009), NeuroImage 44:857-869. Intervals that hold a missed or a false beat are interpolated.
    """
    interval_s = np.diff(beats_s)
    usual = np.abs(interval_s / median_filter(interval_s, _NEIGHBOURS, mode="nearest") - 1) < _MOST_CHANGE
    middle_s = (beats_s[1:] + beats_s[:-1]) / 2
    window_s = times_s[:, None] + np.linspace(-WINDOW_S / 2, WINDOW_S / 2, round(WINDOW_S * RATE_HZ) + 1)
    return 1 / np.interp(window_s, middle_s[usual], interval_s[usual]).mean(axis=1)


def respiration_volume(respiration_t: NDArray[np.floating], sfreq: float) -> NDArray[np.float64]:
    """Depth of breathing: the standard deviation of a respiratory belt's signal in a window about each sample.

    Parameters
    ----------
    respiration_t : array, shape (n_times,)
        In any unit.
    sfreq : float
        Hz.

    Returns
    -------
    float64 array, shape (n_times,)
        In the same unit.

    Notes
    -----
    Source: Chang et al. (2009), NeuroImage 44:857-869, where it replaces the respiration volume per time of Birn et al. (2006), NeuroImage
    31:1536-1548: no single breath has to be found.
    """
    x_t = respiration_t.astype(np.float64) - np.mean(respiration_t, dtype=np.float64)
    width = round(WINDOW_S * sfreq)
    mean_t, square_t = (uniform_filter1d(each, width, mode="nearest") for each in (x_t, x_t**2))
    return np.sqrt(np.maximum(square_t - mean_t**2, 0.0))


def respond(course_t: NDArray[np.float64], response: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convolve a time course's deviations from its mean with a response; before its beginning it is taken to be at its mean.

    Parameters
    ----------
    course_t : float64 array, shape (n_times,)
        Sampled at `RATE_HZ`.
    response : float64 array, shape (n_lags,)
        To an impulse, at the same rate, from the impulse on.

    Returns
    -------
    float64 array, shape (n_times,)
    """
    return fftconvolve(course_t - course_t.mean(), response)[: len(course_t)] / RATE_HZ
