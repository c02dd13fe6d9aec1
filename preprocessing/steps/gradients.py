"""Take the scanner's gradients off raw EEG: average template subtraction."""

import numpy as np
from mne.io import BaseRaw
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.config.bold import GradientCorrection

VERSION = 2

# Volumes differ by a sample in length where clocks differ; beyond this many usual lengths lies a pause.
_LONGEST = 1.1


def correct_gradients(raw: BaseRaw, marker_s: NDArray[np.float64], settings: GradientCorrection, called: str) -> None:
    """Subtract from each volume's stretch of EEG the mean over its neighbours, in place.

    Parameters
    ----------
    raw : BaseRaw
        Loaded, at the rate it was recorded at: after a filter or resampling the artifact no longer repeats.
    marker_s : float64 array, shape (n_markers,)
        Onsets of all volumes, discarded ones too, s from the first sample.
    settings : GradientCorrection
        How many neighbours make a template.
    called : str
        What sentences call the recording.

    Raises
    ------
    UserError
        There are fewer volumes than a template is averaged over.

    Notes
    -----
    Source: Allen, Josephs and Turner (2000), NeuroImage 12:230-239, without their adaptive noise cancellation.
    """
    if len(marker_s) < settings.epochs:
        raise UserError(f"{called}: has {len(marker_s)} volume markers, preprocessing.gradients.epochs needs {settings.epochs}; lower it")
    onsets = np.round(marker_s * raw.info["sfreq"]).astype(np.int64)
    for index in range(len(raw.ch_names)):
        raw._data[index] = subtract_template(raw._data[index], onsets, settings.epochs)


def subtract_template(x_t: NDArray[np.float64], onsets: NDArray[np.int64], n_epochs: int) -> NDArray[np.float64]:
    """Correct one channel.

    Parameters
    ----------
    x_t : float64 array, shape (n_times,)
        V.
    onsets : int64 array, shape (n_volumes,)
        First sample of each volume.
    n_epochs : int
        Neighbours averaged, the volume itself among them.

    Returns
    -------
    float64 array, shape (n_times,)
        Untouched outside volumes, also where the scanner pauses between two. A volume keeps its own mean, so that slow drifts stay.
    """
    intervals = np.diff(onsets)
    # Where the scanner paused, a volume ends long before the next one.
    length = int(intervals[intervals <= _LONGEST * np.median(intervals)].max())
    stops = np.minimum(np.append(onsets[1:], len(x_t)), onsets + length)
    epochs_vt = np.full((len(onsets), length), np.nan)
    for epoch_t, start, stop in zip(epochs_vt, onsets, stops, strict=True):
        epoch_t[: stop - start] = x_t[start:stop] - x_t[start:stop].mean()
    # A last volume that the recording cuts off, or one a sample shorter than others, counts where it has samples.
    known_vt = np.isfinite(epochs_vt)
    sums, counts = (np.cumsum(values, axis=0) for values in (np.where(known_vt, epochs_vt, 0.0), known_vt.astype(np.int64)))
    corrected_t = x_t.copy()
    for volume, (start, stop) in enumerate(zip(onsets, stops, strict=True)):
        first = min(max(volume - n_epochs // 2, 0), len(onsets) - n_epochs)
        template_t = _over(sums, first, first + n_epochs) / np.maximum(_over(counts, first, first + n_epochs), 1)
        corrected_t[start:stop] -= template_t[: stop - start]
    return corrected_t


def _over(cumulative: NDArray[np.generic], first: int, stop: int) -> NDArray[np.float64]:
    """Sum rows `first` to `stop` by their cumulative sum."""
    before = cumulative[first - 1] if first else 0
    return np.asarray(cumulative[stop - 1] - before, dtype=np.float64)
