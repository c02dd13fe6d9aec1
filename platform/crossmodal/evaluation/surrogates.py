"""Signals with the spectra of recorded ones, in which nothing happens at the time when it did."""

import numpy as np
from numpy.typing import NDArray


def phase_randomised(x_ct: NDArray[np.floating], rng: np.random.Generator) -> NDArray[np.float32]:
    """Turn the phase of each frequency at random, by the same angle in all channels.

    Parameters
    ----------
    x_ct : array, shape (n_channels, n_times)
    rng : numpy.random.Generator
        Draws the angles.

    Returns
    -------
    float32 array, shape (n_channels, n_times)
        Spectra and cross-spectra over the whole stretch are those of `x_ct`; what changes in time, as the power of a band, is lost.

    Notes
    -----
    Source: Prichard & Theiler (1994), Generating surrogate data for time series with several simultaneously measured variables, Phys. Rev.
    Lett. 73:951-954. The mean and the Nyquist frequency of a real signal have no phase to turn.
    """
    n_times = x_ct.shape[1]
    turn_f = np.exp(2j * np.pi * rng.random(n_times // 2 + 1))
    turn_f[0] = 1.0
    if n_times % 2 == 0:
        turn_f[-1] = 1.0
    # Channel by channel, since spectra of all would be several times as large as the recording.
    return np.stack([np.fft.irfft(np.fft.rfft(x_t) * turn_f, n_times).astype(np.float32) for x_t in x_ct])
