"""Bridge bad spans of the unfiltered recording, so that no filter carries an artifact out of its mask.

A filter is as long as its slowest edge asks for, 33 s at 0.1 Hz, and gives every sample a share of all others in reach. What stands in a
bad span before anything is filtered is therefore taken from outside the span alone, and samples outside are what they would be if nothing
had happened inside.
"""

from collections.abc import Iterable

import numpy as np
from mne.io import BaseRaw
from numpy.typing import NDArray

from preprocessing.signals.spans import Span, continuous_pieces
from preprocessing.steps.jumps import LEVEL_S, UsualDrift, level_of
from preprocessing.steps.segments import outside, runs, samples_of

VERSION = 3

# Power lines of the world and their harmonics; what is faster hardly passes a low-pass.
_LINES_HZ = (50.0, 60.0)
_FASTEST_HARMONIC_HZ = 250.0
# A sinusoid is not fitted to fewer samples than so many for each of its coefficients.
_SAMPLES_A_COEFFICIENT = 4


def bridge_spans(raw: BaseRaw, spans: Iterable[Span], level: bool) -> int:
    """Replace what lies in spans, in place and in all channels.

    A straight line leads from the level before a span to the level after it. A sinusoid at the power line's frequency, and at each of its
    harmonics, goes on from either side and fades toward the other, since a line that is cut off would ring in a notch filter. Nothing leads
    across a boundary of acquisition: there, the level of the only side is held. A piece that is bad altogether becomes zero.

    Parameters
    ----------
    raw : BaseRaw
        Loaded, not filtered yet.
    spans : iterable of Span
        Those that touch are bridged as one. One without duration, as a boundary is, is left.
    level : bool
        Whether to take a jump of the level across a span off all that follows in its piece: a high-pass would make a transient of it.

    Returns
    -------
    int
        Spans across which the level jumped, and was levelled.
    """
    n_samples, sfreq = len(raw.times), raw.info["sfreq"]
    timed = [span for span in spans if span.duration_s > 0]
    good = outside(timed, n_samples, sfreq)
    if good.all():
        return 0
    n_beside, n_jumps = round(LEVEL_S * sfreq), 0
    pieces = [samples_of(piece, n_samples, sfreq) for piece in continuous_pieces(raw)]
    if level:
        within = good.copy()
        within[[edge for first, last in pieces for edge in (first, last - 1)]] = False
        usual = UsualDrift(raw._data, within, raw.get_channel_types(), sfreq)
    for first, last in pieces:
        good_indices = first + np.flatnonzero(good[first:last])
        for start, stop in first + runs(~good[first:last]):
            at = int(np.searchsorted(good_indices, start))
            before, after = good_indices[max(at - n_beside, 0) : at], good_indices[at : at + n_beside]
            if level and len(before) and len(after):
                n_jumps += _levelled(raw._data, before, after, slice(stop, last), usual, sfreq)
            raw._data[:, start:stop] = _bridge(raw._data, before, after, np.arange(start, stop), sfreq)
    return n_jumps


def _levelled(
    x_ct: NDArray[np.float64], before: NDArray[np.int64], after: NDArray[np.int64], later: slice, usual: UsualDrift, sfreq: float
) -> bool:
    """Take a jump of the level between some samples and others off all later ones, in place; tell whether there was one."""
    difference_c = level_of(x_ct[:, after]) - level_of(x_ct[:, before])
    jumped = usual.jumped(difference_c, (after.mean() - before.mean()) / sfreq)
    for row in np.flatnonzero(jumped):
        x_ct[row, later] -= difference_c[row]
    return bool(jumped.any())


def _bridge(
    x_ct: NDArray[np.float64], before: NDArray[np.int64], after: NDArray[np.int64], inside: NDArray[np.int64], sfreq: float
) -> NDArray[np.float64]:
    """What leads from some samples to others, shape (C, n_inside); the samples are given by their indices."""
    sides = [(side, *_continued(x_ct[:, side], side, inside, sfreq)) for side in (before, after) if len(side)]
    if not sides:
        return np.zeros((len(x_ct), len(inside)))
    if len(sides) == 1:
        _, level_c, wave_ct = sides[0]
        return level_c[:, None] + wave_ct
    (_, level_before_c, wave_before_ct), (_, level_after_c, wave_after_ct) = sides
    share_t = (inside - before.mean()) / (after.mean() - before.mean())
    fade_t = (np.arange(len(inside)) + 1) / (len(inside) + 1)
    trend_ct = level_before_c[:, None] * (1 - share_t) + level_after_c[:, None] * share_t
    return trend_ct + wave_before_ct * (1 - fade_t) + wave_after_ct * fade_t


def _continued(
    x_ct: NDArray[np.float64], side: NDArray[np.int64], inside: NDArray[np.int64], sfreq: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Level of a side, shape (C,), and its line noise continued to the inside, shape (C, n_inside), by least squares."""
    centre = side.mean()
    harmonics_hz = _harmonics_hz(sfreq)
    times_s = (side - centre) / sfreq
    design_tk = np.column_stack([np.ones(len(side)), times_s, _sinusoids(times_s, harmonics_hz)])
    if len(side) < _SAMPLES_A_COEFFICIENT * design_tk.shape[1]:
        return x_ct.mean(axis=1), np.zeros((len(x_ct), len(inside)))
    weights_ck = x_ct @ np.linalg.pinv(design_tk).T
    return weights_ck[:, 0], weights_ck[:, 2:] @ _sinusoids((inside - centre) / sfreq, harmonics_hz).T


def _harmonics_hz(sfreq: float) -> list[float]:
    fastest_hz = min(_FASTEST_HARMONIC_HZ, 0.99 * sfreq / 2)
    return sorted({line_hz * k for line_hz in _LINES_HZ for k in range(1, int(fastest_hz / line_hz) + 1)})


def _sinusoids(times_s: NDArray[np.float64], frequencies_hz: list[float]) -> NDArray[np.float64]:
    """Sine and cosine of each frequency, shape (T, 2 n_frequencies)."""
    phase_tk = 2 * np.pi * times_s[:, None] * np.array(frequencies_hz)
    return np.concatenate([np.sin(phase_tk), np.cos(phase_tk)], axis=1)
