"""Resample a recording on its own clock; events are kept in seconds until the end, so that they move with it.

MNE's `Raw.resample` rounds to whole samples of the new rate where it pads: that moves a recording by up to half a sample, 5 ms at
100 Hz, as its length happens to be, and as much again toward its end. It also takes each file of a split recording by itself.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
import scipy.fft
from mne.io import BaseRaw, RawArray
from numpy.typing import NDArray

from crossmodal.config.preprocessing import Preprocessing
from preprocessing.sources.timeline import continuous_pieces

VERSION = 2

# Samples of the recording that are mirrored at either end, at the least: what rings where a recording ends has fallen by then.
_LEAST_PADDING = 1000
# Of rates as 600.615 Hz the nearest ratio with so small a denominator is taken, which is off by less than 1e-7.
_LARGEST_DENOMINATOR = 10_000


def resample_recording(raw: BaseRaw, settings: Preprocessing) -> BaseRaw:
    """Return the recording at the rate that settings ask for, each piece between boundaries of acquisition by itself.

    Parameters
    ----------
    raw : BaseRaw
        Loaded, after the low-pass, which settings hold below the new Nyquist frequency. Emptied where another is returned: whoever opened
        it holds it on to the end.
    settings : Preprocessing
        The rate.

    Returns
    -------
    BaseRaw
        Sample k is what was recorded k / rate after the first sample. It is `raw` itself where that has the rate.
    """
    old_hz, new_hz = raw.info["sfreq"], settings.sfreq
    if not new_hz or new_hz == old_hz:
        return raw
    edges = {round(edge_s * old_hz) for piece in continuous_pieces(raw) for edge_s in (piece.start_s, piece.stop_s)}
    bounds = sorted({0, *edges, len(raw.times)})
    info = raw.info.copy()
    with info._unlock():
        info["sfreq"], info["lowpass"] = new_hz, min(info["lowpass"], new_hz / 2)
    n_new = max(round(len(raw.times) * new_hz / old_hz), 1)
    data_ct = np.empty((len(raw.ch_names), n_new))
    for index in range(len(data_ct)):
        data_ct[index] = resample(raw.get_data(picks=[index])[0], old_hz, new_hz, n_new, bounds)
    raw.crop(tmax=0)
    return RawArray(data_ct, info, verbose="error")


def resample(
    x_t: NDArray[np.float64], old_hz: float, new_hz: float, n_new: int, bounds: Sequence[int] | None = None
) -> NDArray[np.float64]:
    """Resample a signal in the frequency domain, exactly where its band lies below both Nyquist frequencies.

    A stretch is mirrored about its ends, point by point as MNE does, and fades there to zero. With what is mirrored it begins, and is as
    long, as whole numbers of samples at both rates go.

    Parameters
    ----------
    x_t : float64 array, shape (n_times,)
    old_hz, new_hz : float
        Rates.
    n_new : int
        Samples wanted; those after the signal's end, of which there should be few, are of what is mirrored.
    bounds : sequence of int, optional
        First samples of stretches that know nothing of each other, 0 and n_times included. None takes all as one.

    Returns
    -------
    float64 array, shape (n_new,)
    """
    ratio = Fraction(new_hz / old_hz).limit_denominator(_LARGEST_DENOMINATOR)
    new_t = np.empty(n_new)
    for start, stop in pairwise(bounds or (0, len(x_t))):
        first, last = (min(math.ceil(bound * ratio), n_new) for bound in (start, stop))
        last = n_new if stop == len(x_t) else last
        if last > first:
            begin = (start - _LEAST_PADDING) // ratio.denominator * ratio.denominator
            n_units = scipy.fft.next_fast_len(math.ceil((stop + _LEAST_PADDING - begin) / ratio.denominator), real=True)
            n_before, n_after = start - begin, begin + n_units * ratio.denominator - stop
            padded_t = np.pad(x_t[start:stop], (n_before, n_after), mode="reflect", reflect_type="odd")
            padded_t[:n_before] *= _fade(n_before)
            padded_t[len(padded_t) - n_after :] *= _fade(n_after)[::-1]
            n_padded = n_units * ratio.numerator
            spectrum_w = scipy.fft.rfft(padded_t, overwrite_x=True)[: n_padded // 2 + 1]
            skipped = first - begin * ratio.numerator // ratio.denominator
            new_t[first:last] = scipy.fft.irfft(spectrum_w, n_padded)[skipped : skipped + last - first] * float(ratio)
    return new_t


def _fade(n_times: int) -> NDArray[np.float64]:
    """Half a period of a cosine, from 0 to 1."""
    return 0.5 - 0.5 * np.cos(np.pi * np.arange(n_times) / n_times)
