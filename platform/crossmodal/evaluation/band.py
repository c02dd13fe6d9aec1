"""What preprocessing does to the spectrum of a recording, so that ceilings see the data as models do."""

from dataclasses import dataclass

import numpy as np
from mne.filter import create_filter
from numpy.typing import NDArray

from crossmodal.config.preprocessing import Preprocessing

_POINTS_PER_CELL = 64


@dataclass(frozen=True)
class Band:
    """Frequencies at which spectra are sampled, and how much each counts.

    Attributes
    ----------
    frequencies_hz : ndarray, shape (n_freqs,)
        Middles of cells that tile 0 Hz to the highest frequency preprocessing leaves.
    weights_hz : ndarray, shape (n_freqs,)
        Integral over each cell of the power gain |H(f)|^2, so that ``density @ weights_hz`` is a variance after preprocessing.
    squared_weights_hz : ndarray, shape (n_freqs,)
        Integral over each cell of |H(f)|^4, for products of two densities.
    """

    frequencies_hz: NDArray[np.float64]
    weights_hz: NDArray[np.float64]
    squared_weights_hz: NDArray[np.float64]


def preprocessed_band(preprocessing: Preprocessing, sfreq: float, n_freqs: int = 128) -> Band:
    """Sample the band that filtering and resampling leave of a recording.

    Parameters
    ----------
    preprocessing : Preprocessing
        Its filter is the one `mne.io.Raw.filter` designs by default: an FIR with a Hamming window, applied once at zero phase.
    sfreq : float
        Sampling rate of the recording before preprocessing, Hz.
    n_freqs : int
        Cells grow linearly in width, since brain spectra vary most at low frequencies; 128 settle the ceilings to four digits.
    """
    nyquist_hz = min(sfreq, preprocessing.sfreq or sfreq) / 2
    edges_hz = nyquist_hz * np.linspace(0, 1, n_freqs + 1) ** 2
    widths_hz = np.diff(edges_hz)
    within_cell = (np.arange(_POINTS_PER_CELL) + 0.5) / _POINTS_PER_CELL
    fine_hz = edges_hz[:-1, None] + widths_hz[:, None] * within_cell
    gain = power_gain(preprocessing, sfreq, fine_hz)
    return Band(edges_hz[:-1] + widths_hz / 2, widths_hz * gain.mean(axis=1), widths_hz * (gain**2).mean(axis=1))


def power_gain(preprocessing: Preprocessing, sfreq: float, frequencies_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Power gain |H(f)|^2 of the high-pass and low-pass at `frequencies_hz`, same shape.

    Resampling adds nothing to it: in the frequency domain it cuts at the new Nyquist frequency, where the band ends.
    """
    if preprocessing.highpass_hz is None and preprocessing.lowpass_hz is None:
        return np.ones_like(frequencies_hz)
    taps = create_filter(None, sfreq, preprocessing.highpass_hz, preprocessing.lowpass_hz, verbose="error")
    n_fft = 2 ** int(np.ceil(np.log2(32 * len(taps))))
    gain = np.abs(np.fft.rfft(taps, n_fft)) ** 2
    return np.interp(frequencies_hz, np.fft.rfftfreq(n_fft, 1 / sfreq), gain)
