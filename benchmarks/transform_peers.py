"""Other libraries' wavelet transforms, each in the way its documentation shows first, with cmor1.5-1.0 or the Morlet wavelet nearest it.

The wavelet's envelope has a standard deviation of sqrt(1.5 / 2) cycles, which is a Morlet wavelet of 2 pi sqrt(0.75) = 5.44 "cycles".
"""

import contextlib
import os
import tempfile
from collections.abc import Callable

import mne
import numpy as np
import pywt
import torch
from numpy.typing import NDArray

WAVELET = "cmor1.5-1.0"
ENVELOPE_CYCLES = np.sqrt(1.5 / 2)

# (channels, times) in float32 and frequencies in Hz to complex (channels, frequencies, times) or (frequencies, channels, times).
Transform = Callable[[NDArray[np.float32], NDArray[np.float64]], object]


def pywavelets(sfreq: float) -> Transform:
    """PyWavelets by FFT, the faster of its two methods."""
    return lambda x_ct, frequencies_hz: pywt.cwt(x_ct, sfreq / frequencies_hz, WAVELET, method="fft", axis=-1)[0]


def mne_morlet(sfreq: float) -> Transform:
    """MNE's Morlet transform of an array."""

    def transform(x_ct: NDArray[np.float32], frequencies_hz: NDArray[np.float64]) -> object:
        n_cycles = 2 * np.pi * ENVELOPE_CYCLES
        return mne.time_frequency.tfr_array_morlet(
            x_ct[None], sfreq, frequencies_hz, n_cycles, zero_mean=False, output="complex", verbose="error"
        )[0]

    return transform


def ssqueezepy(sfreq: float) -> Transform:
    """Transform by ssqueezepy, which keeps its wavelets' spectra, a channel at a time."""
    os.environ["SSQ_PARALLEL"] = "0"
    from ssqueezepy import Wavelet, cwt

    mu = 2 * np.pi * ENVELOPE_CYCLES
    wavelet = Wavelet(("morlet", {"mu": mu}))

    def transform(x_ct: NDArray[np.float32], frequencies_hz: NDArray[np.float64]) -> object:
        out_cft = np.empty((len(x_ct), len(frequencies_hz), x_ct.shape[-1]), np.complex64)
        scales = mu * sfreq / (2 * np.pi * frequencies_hz[::-1])
        for x_t, out_ft in zip(x_ct, out_cft, strict=True):
            out_ft[:] = cwt(x_t, wavelet, scales=scales, padtype="zero", nan_checks=False, astensor=False)[0]
        return out_cft

    return transform


def ptwt(sfreq: float) -> Transform:
    """PyTorch-Wavelets, which computes in float64."""
    from ptwt import cwt

    return lambda x_ct, frequencies_hz: cwt(torch.from_numpy(x_ct), sfreq / frequencies_hz, WAVELET)[0]


def fcwt(sfreq: float) -> Transform:
    """Transform by fCWT with plans of FFTW measured beforehand, a channel at a time; it needs Debian's libfftw3-single3."""
    from fcwt import FCWT, FCWT_LOGSCALES, Morlet, Scales

    def transform(x_ct: NDArray[np.float32], frequencies_hz: NDArray[np.float64]) -> object:
        scales = Scales(morlet, FCWT_LOGSCALES, int(sfreq), frequencies_hz[0], frequencies_hz[-1], len(frequencies_hz))
        out_cft = np.empty((len(x_ct), len(frequencies_hz), x_ct.shape[-1]), np.complex64)
        for x_t, out_ft in zip(x_ct, out_cft, strict=True):
            planned.cwt(x_t, scales, out_ft)
        return out_cft

    morlet = Morlet(ENVELOPE_CYCLES)
    planned = FCWT(morlet, 1, False, False)
    # FFTW remembers what it measured, and fCWT writes it into the working directory.
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
        planned.create_FFT_optimization_plan(2**15, "FFTW_MEASURE")
    return transform


PEERS = {"PyWavelets": pywavelets, "MNE": mne_morlet, "ssqueezepy": ssqueezepy, "ptwt": ptwt, "fCWT": fcwt}
