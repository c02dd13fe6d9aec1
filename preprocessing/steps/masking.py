"""Find segments in which a channel ranges too far, which windows must not touch."""

import numpy as np
from mne.io import BaseRaw

from crossmodal.config.preprocessing import Preprocessing
from preprocessing.sources.timeline import Span
from preprocessing.steps.look import Look
from preprocessing.steps.segments import peak_to_peak, segment_starts, to_spans

VERSION = 2


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
    """Find segments in which a channel will range too far, before a filter spreads what is in them."""
    n_blocks = look.x_cb.shape[1]
    starts = segment_starts(n_blocks, 1 / look.block_s, settings.segment_s)
    limit_c = np.array([_limits(settings)[kind] or np.inf for kind in look.kinds])
    range_cs = np.maximum.reduceat(look.x_cb, starts, axis=1) - np.minimum.reduceat(look.x_cb, starts, axis=1)
    # The samples after the last whole block belong to the last segment.
    return to_spans(np.asarray((range_cs > limit_c[:, None]).any(axis=0)), np.append(starts, n_blocks + 1) * look.block_s)


def has_limits(settings: Preprocessing) -> bool:
    """Tell whether settings limit how far a channel of any type may range."""
    return any(limit is not None for limit in _limits(settings).values())


def _limits(settings: Preprocessing) -> dict[str, float | None]:
    return {"eeg": settings.peak_to_peak_v, "mag": settings.peak_to_peak_t, "grad": settings.peak_to_peak_t_per_m}
