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


def canonical_response(time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evaluate the canonical haemodynamic response to an impulse.

    The difference of two gamma densities with unit dispersion, of shapes 6 and 16, the second weighted by 1/6: it peaks about 5 s after the
    impulse, undershoots until about 25 s, and is normalised so that sustained unit activity is answered by one.

    Parameters
    ----------
    time_s : float64 array
        Time since the impulse, s; before it the response is zero.

    Returns
    -------
    float64 array
        Same shape, 1/s.

    Notes
    -----
    Source: Friston et al. (1998), Event-related fMRI: characterizing differential responses, NeuroImage 7:30-40, with the parameters of
    SPM's spm_hrf.
    """
    # nilearn's spm_hrf samples the same shape, but one sample late, on an axis stretched by a sample, with an undershoot of 0.167 and a sum
    # of one: at 10 Hz it is 3 % of the peak away from this, so that a convolution with it would depend on the sampling rate.
    response = gamma.pdf(time_s, RESPONSE_DELAY_S) - UNDERSHOOT_RATIO * gamma.pdf(time_s, UNDERSHOOT_DELAY_S)
    return response / (1 - UNDERSHOOT_RATIO)


def respond(activity: NDArray[np.float64], sfreq: float) -> NDArray[np.float64]:
    """Convolve activity with the canonical response.

    Parameters
    ----------
    activity : float64 array, shape (..., n_times)
        Activity that is taken to be zero before it begins.
    sfreq : float
        Hz; a few samples a second resolve the response.

    Returns
    -------
    float64 array, shape (..., n_times)
        In the activity's unit: the response at each sample to all activity up to it.
    """
    kernel = canonical_response(np.arange(round(RESPONSE_LENGTH_S * sfreq)) / sfreq) / sfreq
    kernel = kernel.reshape((1,) * (activity.ndim - 1) + (-1,))
    return fftconvolve(activity, kernel, axes=-1)[..., : activity.shape[-1]]
