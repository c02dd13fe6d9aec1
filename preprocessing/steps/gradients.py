"""Take the scanner's gradients off raw EEG: average template subtraction, aligned below one sample."""

from collections.abc import Iterable

import numpy as np
from mne.io import BaseRaw
from numpy.typing import NDArray
from scipy import fft

from crossmodal.config import UserError
from crossmodal.config.bold import GradientCorrection
from preprocessing.signals.spans import Span
from preprocessing.steps.segments import outside
from preprocessing.steps.volume_delays import MARGIN, even_onsets, measured_delays, shifted, stretches

VERSION = 4

# Volumes differ by a sample in length where clocks differ; beyond this many usual lengths lies a pause.
_LONGEST = 1.1
# Channels that tell when volumes begin: those of the largest artifacts.
_TELLING_CHANNELS = 4
# How far volumes may be from where they are expected, samples, besides as far as markers jitter.
_LEAST_REACH = 1.0
# Volumes are aligned below a sample only where that leaves so much less.
_WORTH_ALIGNING = 0.99
# The power line and its harmonics may lie at multiples of the volumes' rate, too.
_LINES_HZ, _LINE_WIDTH_HZ = (50.0, 60.0), 1.0


def correct_gradients(
    raw: BaseRaw, marker_s: NDArray[np.float64], bad_spans: Iterable[Span], settings: GradientCorrection, called: str
) -> list[str]:
    """Subtract from each volume's stretch of EEG the mean over its neighbours, in place.

    Parameters
    ----------
    raw : BaseRaw
        Loaded, at the rate it was recorded at: after a filter or resampling the artifact no longer repeats.
    marker_s : float64 array, shape (n_markers,)
        Onsets of all volumes, discarded ones too, s from the first sample.
    bad_spans : iterable of Span
        Volumes that touch one are corrected, and are in no template.
    settings : GradientCorrection
        How many neighbours make a template.
    called : str
        What sentences call the recording.

    Returns
    -------
    list of str
        Sentences that the run should say: what is left, and where clocks are not synchronised.

    Raises
    ------
    UserError
        There are fewer volumes outside bad spans than a template is averaged over.

    Notes
    -----
    Source: Allen, Josephs and Turner (2000), NeuroImage 12:230-239, without their adaptive noise cancellation. They and FASTR (Niazy et
    al., 2005, NeuroImage 28:720-737) align volumes by upsampling, here the phase is turned.
    """
    if len(marker_s) < settings.epochs:
        raise UserError(f"{called}: has {len(marker_s)} volume markers, preprocessing.gradients.epochs needs {settings.epochs}; lower it")
    sfreq = float(raw.info["sfreq"])
    markers = np.round(marker_s * sfreq).astype(np.int64)
    clean = _without_bad(outside(bad_spans, len(raw.times), sfreq), markers)
    if clean.sum() < settings.epochs:
        raise UserError(
            f"{called}: has {clean.sum()} volumes outside bad spans, preprocessing.gradients.epochs needs {settings.epochs}; lower it"
        )
    begins = find_begins(raw._data, markers, clean, settings.epochs, sfreq)
    for index in range(len(raw.ch_names)):
        raw._data[index] = subtract_template(raw._data[index], begins, clean, settings.epochs)
    return [_told(raw, markers, begins)]


def find_begins(
    x_ct: NDArray[np.float64], markers: NDArray[np.int64], clean: NDArray[np.bool_], n_epochs: int, sfreq: float
) -> NDArray[np.float64]:
    """Where volumes begin: on their markers, or between samples where aligning them so leaves less of the artifact.

    Parameters
    ----------
    x_ct : float64 array, shape (n_channels, n_times)
        Raw EEG.
    markers : int64 array, shape (n_volumes,)
        Samples.
    clean : bool array, shape (n_volumes,)
        Volumes that templates are averaged over, and that tell how much is left.
    n_epochs : int
        Neighbours that make a template.
    sfreq : float
        Hz.

    Returns
    -------
    float64 array, shape (n_volumes,)
        Samples.
    """
    length, stops = _extents(markers, x_ct.shape[1])
    even = even_onsets(markers, np.append(True, markers[1:] > stops[:-1]), sfreq)
    best = markers.astype(np.float64)
    if even is None:
        return best
    artifacts = np.array([stretches(x_t, markers, length).mean(axis=0).std() for x_t in x_ct])
    finite = np.flatnonzero(np.isfinite(artifacts))
    if not len(finite):
        return best
    telling_ct = x_ct[finite[np.argsort(artifacts[finite])[-_TELLING_CHANNELS:]]]
    least, reach = _left(telling_ct, best, clean, n_epochs), _LEAST_REACH + float(np.abs(even - markers).max())
    # Markers that jitter lie beside volumes at even intervals, others may be where volumes are that do not come evenly.
    for expected in (even, best):
        found = expected + measured_delays(telling_ct, expected, length, reach)
        left = _left(telling_ct, found, clean, n_epochs)
        if left < _WORTH_ALIGNING * least:
            best, least = found, left
    return best


def subtract_template(
    x_t: NDArray[np.float64], begins: NDArray[np.float64] | NDArray[np.int64], clean: NDArray[np.bool_], n_epochs: int
) -> NDArray[np.float64]:
    """Correct one channel.

    Parameters
    ----------
    x_t : float64 array, shape (n_times,)
        V.
    begins : array, shape (n_volumes,)
        Where each volume begins, samples, between two where clocks are not synchronised.
    clean : bool array, shape (n_volumes,)
        Volumes that are averaged over.
    n_epochs : int
        Neighbours averaged, the volume itself among them where it is clean.

    Returns
    -------
    float64 array, shape (n_times,)
        Untouched outside volumes, also where the scanner pauses between two. A volume keeps its own mean, so that slow drifts stay.
    """
    onsets = np.maximum(np.round(begins), 0).astype(np.int64)
    late_v = np.asarray(begins - onsets, dtype=np.float64)
    margin = MARGIN if late_v.any() else 0
    length, stops = _extents(onsets, len(x_t))
    means_v = np.array([x_t[start:stop].mean() for start, stop in zip(onsets, stops, strict=True)])
    epochs_vt = stretches(x_t, onsets, length, margin) - means_v[:, None]
    if margin:
        epochs_vt = shifted(epochs_vt, -late_v)
    known_vt = _known(onsets, stops, length, margin)
    averaged = np.where(known_vt, epochs_vt, 0.0)[clean], known_vt[clean].astype(np.int64)
    sums, counts = (np.cumsum(values, axis=0) for values in averaged)
    first = np.clip(np.cumsum(clean) - clean - n_epochs // 2, 0, clean.sum() - n_epochs)
    templates_vt = _over(sums, first, n_epochs) / np.maximum(_over(counts, first, n_epochs), 1)
    if margin:
        templates_vt = shifted(templates_vt, late_v)
    corrected_t = x_t.copy()
    for template_t, start, stop in zip(templates_vt, onsets, stops, strict=True):
        corrected_t[start:stop] -= template_t[margin : margin + stop - start]
    return corrected_t


def _without_bad(good: NDArray[np.bool_], markers: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which volumes touch no bad sample, shape (n_volumes,)."""
    _, stops = _extents(markers, len(good))
    return np.array([good[start:stop].all() for start, stop in zip(markers, stops, strict=True)])


def _extents(onsets: NDArray[np.int64], n_times: int) -> tuple[int, NDArray[np.int64]]:
    """Length of a volume, samples, and where each ends: where the scanner paused, long before the next one begins."""
    intervals = np.diff(onsets)
    length = int(intervals[intervals <= _LONGEST * np.median(intervals)].max())
    return length, np.minimum(np.append(onsets[1:], n_times), onsets + length)


def _known(onsets: NDArray[np.int64], stops: NDArray[np.int64], length: int, margin: int) -> NDArray[np.bool_]:
    """Where epochs, shape (n_volumes, length + 2 margin), hold the artifact: a last volume that is cut off counts where it has samples.

    With a margin, volumes come evenly, and what follows one is the start of the next.
    """
    meets_next = np.append(stops[:-1] == onsets[1:], False)
    at = np.arange(-margin, length + margin)
    from_v = np.where(np.append(False, meets_next[:-1]), -margin, 0)
    to_v = stops - onsets + np.where(meets_next & (margin > 0), length + margin, 0)
    return (at >= from_v[:, None]) & (at < to_v[:, None])


def _over(cumulative_vt: NDArray[np.generic], first: NDArray[np.int64], n_epochs: int) -> NDArray[np.float64]:
    """Sum `n_epochs` rows from each of `first` on by the cumulative sum of all."""
    before_vt = np.where((first > 0)[:, None], cumulative_vt[first - 1], 0)
    return np.asarray(cumulative_vt[first + n_epochs - 1] - before_vt, dtype=np.float64)


def _left(x_ct: NDArray[np.float64], begins: NDArray[np.float64], clean: NDArray[np.bool_], n_epochs: int) -> float:
    """Power of what is left, times that of its differences: the one may be drowned in drifts, the other in noise."""
    first, last = int(begins[0]) + 1, int(begins[-1])
    is_used = np.repeat(clean[:-1], np.diff(begins.astype(np.int64)).tolist())[1:]
    corrected_ct = np.array([subtract_template(x_t, begins, clean, n_epochs)[first:last] for x_t in x_ct])
    return float(corrected_ct[:, is_used].var(axis=1).sum() * np.diff(corrected_ct)[:, is_used[1:]].var(axis=1).sum())


def _told(raw: BaseRaw, markers: NDArray[np.int64], begins: NDArray[np.float64]) -> str:
    left_uv = 1e6 * _residual_rms(raw._data, begins, float(raw.info["sfreq"]))
    left = f"about {left_uv:.2g} uV rms of gradients are left at multiples of the volumes' rate"
    if np.array_equal(begins, markers):
        return left
    interval = float(np.median(np.diff(begins)))
    drift_ppm, beside = 1e6 * abs(interval / round(interval) - 1), np.abs(begins - markers).max()
    return (
        f"volumes come every {interval:.3f} samples ({drift_ppm:.1f} ppm off whole ones), up to {beside:.2f} samples beside their markers,"
        " as where clocks of EEG and scanner are not synchronised: they were aligned below a sample before their"
        f" gradients were averaged; {left}"
    )


def _residual_rms(x_ct: NDArray[np.float64], begins: NDArray[np.float64], sfreq: float) -> float:
    """Root mean square over channels of what stands out at multiples of the rate of volumes.

    Parameters
    ----------
    x_ct : float64 array, shape (n_channels, n_times)
        Corrected EEG.
    begins : float64 array, shape (n_volumes,)
        Where volumes begin, samples.
    sfreq : float
        Hz.

    Returns
    -------
    float
        In the unit of the data; 0 where nothing stands out.

    Notes
    -----
    What is left repeats with the volumes, if slowly changing, so that its power lies nearer to the multiples than to the middle between
    two, where there is only EEG. The line's frequencies are left out.
    """
    inside = slice(int(begins[0]), int(begins[-1]))
    frequency_hz = fft.rfftfreq(inside.stop - inside.start, 1 / sfreq)
    turns = frequency_hz * float(np.median(np.diff(begins))) / sfreq
    # From the middle before the first multiple to the middle after the last one, so that EEG's slope evens out.
    used = (turns >= 0.5) & (turns < np.floor(turns[-1]) - 0.5)
    for line_hz in _LINES_HZ:
        used &= np.abs(frequency_hz - line_hz * np.round(frequency_hz / line_hz)) > _LINE_WIDTH_HZ
    near = np.abs(turns - np.round(turns)) < 0.25
    power = 0.0
    for x_t in x_ct:
        spectrum = np.abs(fft.rfft(x_t[inside])) ** 2
        power += max(0.0, float(spectrum[used & near].sum() - spectrum[used & ~near].sum())) / len(x_ct)
    return float(np.sqrt(2 * power) / (inside.stop - inside.start))
