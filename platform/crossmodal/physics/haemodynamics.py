"""How blood oxygenation follows neural activity: the canonical haemodynamic response and its convolution."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve
from scipy.stats import gamma

# Parameters of SPM's canonical response (Friston et al. 1998, NeuroImage 7:30-40; spm_hrf.m's defaults), s.
RESPONSE_DELAY_S = 6.0
UNDERSHOOT_DELAY_S = 16.0
UNDERSHOOT_RATIO = 1 / 6
RESPONSE_LENGTH_S = 32.0
# A gamma density of unit dispersion peaks its shape less one after the impulse.
PEAK_S = RESPONSE_DELAY_S - 1


def canonical_response(time_s: NDArray[np.float64], peak_s: float | NDArray[np.float64] = PEAK_S) -> NDArray[np.float64]:
    """Evaluate the canonical haemodynamic response to an impulse.

    The difference of two gamma densities with unit dispersion, of shapes 6 and 16, the second weighted by 1/6: it peaks about 5 s after the
    impulse, undershoots until about 25 s, and is normalised so that sustained unit activity is answered by one.

    Parameters
    ----------
    time_s : float64 array
        Time since the impulse, s; before it the response is zero.
    peak_s : float or float64 array
        Of a response that peaks sooner or later: both shapes are as much less or more.

    Returns
    -------
    float64 array
        1/s; the shape is that to which `time_s` and `peak_s` broadcast.

    Notes
    -----
    Source: Friston et al. (1998), Event-related fMRI: characterizing differential responses, NeuroImage 7:30-40, with the parameters of
    SPM's spm_hrf.
    """
    # nilearn's spm_hrf samples the same shape, but one sample late, on an axis stretched by a sample, with an undershoot of 0.167 and a sum
    # of one: at 10 Hz it is 3 % of the peak away from this, so that a convolution with it would depend on the sampling rate.
    later_s = peak_s - PEAK_S
    response = gamma.pdf(time_s, RESPONSE_DELAY_S + later_s) - UNDERSHOOT_RATIO * gamma.pdf(time_s, UNDERSHOOT_DELAY_S + later_s)
    return response / (1 - UNDERSHOOT_RATIO)


def respond(activity: NDArray[np.float64], sfreq: float, peak_s: float | NDArray[np.float64] = PEAK_S) -> NDArray[np.float64]:
    """Convolve activity with the canonical response, or one that peaks sooner or later.

    Parameters
    ----------
    activity : float64 array, shape (..., n_times)
        Activity that is taken to be zero before it begins.
    sfreq : float
        Hz; a few samples a second resolve the response.
    peak_s : float or float64 array, shape (...)
        When the response to an impulse peaks; an array has a number a row of the activity.

    Returns
    -------
    float64 array, shape (..., n_times)
        In the activity's unit: the response at each sample to all activity up to it.
    """
    since_s = np.arange(round(RESPONSE_LENGTH_S * sfreq)) / sfreq
    kernel = canonical_response(since_s, np.asarray(peak_s)[..., None]) / sfreq
    kernel = kernel.reshape((1,) * (activity.ndim - kernel.ndim) + kernel.shape)
    return fftconvolve(activity, kernel, axes=-1)[..., : activity.shape[-1]]
