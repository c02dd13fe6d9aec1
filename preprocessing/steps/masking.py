"""Mask bad segments, which windows must not touch."""

from collections.abc import Iterable

import numpy as np
from mne.io import BaseRaw
from numpy.typing import NDArray

from crossmodal.config.preprocessing import Preprocessing
from preprocessing.sources.timeline import Span
from preprocessing.steps.segments import outside, peak_to_peak, segment_starts

VERSION = 1


def good_samples(raw: BaseRaw, bad_spans: Iterable[Span], settings: Preprocessing) -> NDArray[np.bool_]:
    """Mark samples that are neither annotated bad nor in a segment where a channel ranges too far.

    Parameters
    ----------
    raw : BaseRaw
        Filtered, resampled and referenced: the criterion sees what a model would.
    bad_spans : iterable of Span
        Annotated bad, or too short to be filtered.
    settings : Preprocessing
        How far a channel of each type may range within a segment.

    Returns
    -------
    bool array, shape (T,)
    """
    n_samples, sfreq = len(raw.times), raw.info["sfreq"]
    good = outside(bad_spans, n_samples, sfreq)
    limits = {"eeg": settings.peak_to_peak_v, "mag": settings.peak_to_peak_t, "grad": settings.peak_to_peak_t_per_m}
    starts = segment_starts(n_samples, sfreq, settings.segment_s)
    too_far = np.zeros(len(starts), dtype=bool)
    for index, kind in enumerate(raw.get_channel_types()):
        limit = limits[kind]
        if limit is not None:
            too_far |= peak_to_peak(raw.get_data(picks=[index])[0], starts) > limit
    lengths = np.diff(np.append(starts, n_samples))
    return good & ~np.repeat(too_far, lengths)
