"""Exactly stationary Gaussian signals with given covariances and spectra."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from crossmodal.physics.truth import SubjectTruth

# Filtering by multiplication in frequency is circular; what would wrap around is cut off.
_MARGIN_S = 4.0
_LATENTS_AT_ONCE = 64


def sample_signal(truth: SubjectTruth, n_times: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a recording of sources and sensor noise with the cross-spectrum of `truth`.

    Parameters
    ----------
    truth : SubjectTruth
        Factors, spectra and noise at the sensors.
    n_times : int
        Samples at `truth.sfreq`.
    rng : numpy Generator
        Equal states give equal signals.

    Returns
    -------
    ndarray, shape (n_channels, n_times)
        V, T or T/m. Neither its start nor its end differs from its middle.
    """
    noise_sd = np.sqrt(truth.noise_variance_density * truth.sfreq / 2)
    signal = noise_sd[:, None] * rng.standard_normal((len(truth.names), n_times))
    n_circular = next_fast_len(n_times + round(_MARGIN_S * truth.sfreq), real=True)
    frequencies_hz = np.arange(n_circular // 2 + 1) * (truth.sfreq / n_circular)
    for factor, density in zip(truth.factors, truth.spectra, strict=True):
        # White noise of unit variance has the one-sided density 2 / sfreq.
        gain = np.sqrt(density(frequencies_hz) * truth.sfreq / 2).astype(np.float32)
        for start in range(0, factor.shape[1], _LATENTS_AT_ONCE):
            block = factor[:, start : start + _LATENTS_AT_ONCE].astype(np.float32)
            latents = rng.standard_normal((block.shape[1], n_circular), dtype=np.float32)
            signal += block @ irfft(rfft(latents) * gain, n_circular)[:, :n_times]
    return signal
