"""Traces of recordings: a few components over time by which a copy of a recording is known again."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray
from scipy import fft, linalg
from scipy.ndimage import uniform_filter1d

RATE_HZ = 40.0
# Slower is drift, and faster is noise once some is added.
_BAND_HZ = 1.0, 16.0
BAND_SHARE = (_BAND_HZ[1] - _BAND_HZ[0]) / RATE_HZ
N_PRINCIPAL, N_NAMED = 3, 2
# Of a spectrum, as a share of the band: what is wider is flattened, what is narrower is a line.
_SMOOTH_SHARE = 0.05
_GREATEST_LINE, _GREATEST_PEAK = 2.0, 3.0
_LEAST_POWER = 1e-8
_LEVEL_S = 2.0
_STEPS_FOR_PRINCIPAL = 1024
_STEP = 127 / 4


@dataclass(frozen=True)
class Trace:
    """A modality of a recording, reduced.

    Attributes
    ----------
    data_kt : int8 array, shape (N_PRINCIPAL + N_NAMED, T)
        Components without drift, line and slow changes of level: equally strong at all frequencies and times. First the
        principal ones, which ask for no names, then sums of channels with signs by their names, which no noise turns.
    rate_hz : float
        `RATE_HZ`, or what is sampled more slowly.
    """

    data_kt: NDArray[np.int8]
    rate_hz: float


def trace_rate_hz(sfreq: float) -> float:
    """Sampling rate of the trace of what is sampled at `sfreq`, Hz."""
    return min(RATE_HZ, sfreq)


def trace_of(data_tc: NDArray[np.floating], names: Sequence[str], good: NDArray[np.bool_], sfreq: float) -> Trace:
    """Reduce a signal to what its copies have in common, whatever their scale, sign, sampling rate or order of channels.

    Parameters
    ----------
    data_tc : array, shape (T, C)
        Of any unit.
    names : sequence of str, length C
    good : bool array, shape (T,)
        Bad samples are left out.
    sfreq : float
        Hz.
    """
    rate_hz = trace_rate_hz(sfreq)
    mixing_ck = _mixing(data_tc, names, good, sfreq / rate_hz)
    y_kt = (data_tc @ mixing_ck).T.astype(np.float64)
    y_kt[:, ~good] = 0
    y_kt -= np.outer(y_kt.sum(axis=1) / max(good.sum(), 1), good)
    white_kt = _whitened(y_kt, sfreq, rate_hz)
    present = good[np.minimum(np.round(np.arange(white_kt.shape[1]) * sfreq / rate_hz).astype(int), len(good) - 1)]
    return Trace(_levelled(white_kt, present, rate_hz), rate_hz)


def _mixing(data_tc: NDArray[np.floating], names: Sequence[str], good: NDArray[np.bool_], n_together: float) -> NDArray[np.floating]:
    """Weights of channels, shape (C, K), for channels of any scale."""
    block, n_channels = max(int(n_together), 1), data_tc.shape[1]
    # Steps from one sum of a few samples to the next hold little drift, and little of the line.
    every = 2 * block * max(-(-len(data_tc) // (2 * block * _STEPS_FOR_PRINCIPAL)), 1)
    n_steps = len(data_tc) // every
    around_sbc = data_tc[: n_steps * every].reshape(n_steps, every, n_channels)[:, : 2 * block]
    change_sc = around_sbc[:, block] - around_sbc[:, 0]
    for step in range(1, block):
        change_sc += around_sbc[:, block + step] - around_sbc[:, step]
    change_sc = change_sc[np.asarray(good[: n_steps * every].reshape(n_steps, every)[:, : 2 * block].all(axis=1))]
    scale_c = np.sqrt((change_sc**2).sum(axis=0))
    weights_c = np.divide(1, scale_c, out=np.zeros_like(scale_c), where=scale_c > 0)
    bits_cb = np.unpackbits(np.array([[sha256(name.encode()).digest()[0]] for name in names], dtype=np.uint8), axis=1)
    signs_ck = 1.0 - 2.0 * bits_cb[:, :N_NAMED]
    return (np.hstack([_directions(change_sc * weights_c), signs_ck]) * weights_c[:, None]).astype(data_tc.dtype)


def _directions(change_sc: NDArray[np.floating]) -> NDArray[np.floating]:
    """Strongest directions, shape (C, N_PRINCIPAL); zeros where there are fewer."""
    n_samples, n_channels = change_sc.shape
    wide = n_channels > n_samples
    gram = change_sc @ change_sc.T if wide else change_sc.T @ change_sc
    directions = np.zeros((n_channels, N_PRINCIPAL))
    if not len(gram):
        return directions
    _, vectors = linalg.eigh(gram.astype(np.float64), subset_by_index=(max(len(gram) - N_PRINCIPAL, 0), len(gram) - 1))
    strongest = vectors[:, ::-1]
    directions[:, : strongest.shape[1]] = change_sc.T @ strongest if wide else strongest
    return directions


def _whitened(y_kt: NDArray[np.float64], sfreq: float, rate_hz: float) -> NDArray[np.float64]:
    """Keep the band, flatten its spectrum and notch what stands out of it, at the common rate."""
    n_times = y_kt.shape[1]
    ratio = Fraction(rate_hz / sfreq).limit_denominator(1000)
    n_in = ratio.denominator * fft.next_fast_len(-(-n_times // ratio.denominator), real=True)
    n_out = n_in * ratio.numerator // ratio.denominator
    frequencies_hz = fft.rfftfreq(n_out, 1 / rate_hz)
    spectrum = fft.rfft(y_kt, n_in, axis=1)[:, : len(frequencies_hz)]
    # Of what is sampled slowly, nearly all.
    low_hz, high_hz = (share * rate_hz / RATE_HZ for share in _BAND_HZ)
    inside = (frequencies_hz >= low_hz) & (frequencies_hz <= high_hz)
    kept = spectrum[:, inside]
    power = np.abs(kept) ** 2
    width = max(round(_SMOOTH_SHARE * kept.shape[1]), 1)
    smooth = uniform_filter1d(power, width, axis=1, mode="nearest")
    smooth += _LEAST_POWER * smooth.max(axis=1, keepdims=True, initial=0.0) + np.finfo(float).tiny
    kept = kept / np.sqrt(smooth)
    kept /= np.maximum(np.abs(kept) / _GREATEST_LINE, 1)
    spectrum = np.zeros((len(y_kt), len(frequencies_hz)), dtype=complex)
    spectrum[:, inside] = kept
    return fft.irfft(spectrum, n_out, axis=1)[:, : int(np.ceil(n_times * rate_hz / sfreq))]


def _levelled(white_kt: NDArray[np.float64], present: NDArray[np.bool_], rate_hz: float) -> NDArray[np.int8]:
    """Make all times equally strong, so that no artifact outweighs the rest, and round."""
    white_kt = white_kt * present
    width = max(round(_LEVEL_S * RATE_HZ), 1)
    power = uniform_filter1d(white_kt**2, width, axis=1, mode="constant")
    share = uniform_filter1d(present.astype(float), width, mode="constant")
    level = np.sqrt(power / np.maximum(share, 1 / width))
    level += 0.1 * np.median(level, axis=1, keepdims=True) + np.finfo(float).tiny
    return np.round(np.clip(white_kt / level, -_GREATEST_PEAK, _GREATEST_PEAK) * _STEP).astype(np.int8)
