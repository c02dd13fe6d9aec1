"""Find segments in which a channel ranges too far, which windows must not touch."""

import numpy as np
from mne.io import BaseRaw

from crossmodal.config.preprocessing import Preprocessing
from preprocessing.signals.spans import Span
from preprocessing.steps.look import Look
from preprocessing.steps.segments import peak_to_peak, runs, segment_starts, to_spans

VERSION = 4


def far_segments(raw: BaseRaw, settings: Preprocessing) -> list[Span]:
    """Find segments in which a channel ranges too far.

    Parameters
    ----------
    raw : BaseRaw
        Sensors alone, filtered, resampled and referenced: the criterion sees what a model would.
    settings : Preprocessing
        How far a channel of each type may range within a segment.

    Returns
    -------
    list of Span
    """
    limits = _limits(settings)
    starts = segment_starts(len(raw.times), raw.info["sfreq"], settings.segment_s)
    is_far = np.zeros(len(starts), dtype=bool)
    for index, kind in enumerate(raw.get_channel_types()):
        limit = limits[kind]
        if limit is not None:
            is_far |= peak_to_peak(raw.get_data(picks=[index])[0], starts) > limit
    return to_spans(is_far, np.append(starts, len(raw.times)) / raw.info["sfreq"])


def far_in_look(look: Look, settings: Preprocessing) -> list[Span]:
    """Find what makes a channel range too far within a segment, before a filter spreads it.

    A look is about zero, so that what stays within half of the limit ranges no farther than the limit: of neighbouring segments, those
    samples suffice that lie between the first and the last beyond that.
    """
    n_blocks = look.x_cb.shape[1]
    starts = segment_starts(n_blocks, 1 / look.block_s, settings.segment_s)
    limit_c = np.array([_limits(settings)[kind] or np.inf for kind in look.kinds])[:, None]
    range_cs = np.maximum.reduceat(look.x_cb, starts, axis=1) - np.minimum.reduceat(look.x_cb, starts, axis=1)
    bounds, found = np.append(starts, n_blocks), np.zeros(n_blocks, dtype=bool)
    for first, last in runs(np.asarray((range_cs > limit_c).any(axis=0))):
        x_cb = look.x_cb[:, bounds[first] : bounds[last]]
        beyond = bounds[first] + np.flatnonzero((np.abs(x_cb) > limit_c / 2).any(axis=0))
        found[beyond[0] : beyond[-1] + 1] = True
    # The samples after the last whole block belong to it.
    return to_spans(found, np.append(np.arange(n_blocks), n_blocks + 1) * look.block_s)


def has_limits(settings: Preprocessing) -> bool:
    """Tell whether settings limit how far a channel of any type may range."""
    return any(limit is not None for limit in _limits(settings).values())


def _limits(settings: Preprocessing) -> dict[str, float | None]:
    return {"eeg": settings.peak_to_peak_v, "mag": settings.peak_to_peak_t, "grad": settings.peak_to_peak_t_per_m}
