"""Keep EOG and ECG on the clock of the sensors: what eyes and heart alone predict is told beside every score, and no model reads them."""

import numpy as np
from mne.io import BaseRaw, RawArray

from crossmodal.config.preprocessing import Preprocessing
from preprocessing.steps import filtering, resampling
from preprocessing.steps.references import copy_channels

VERSION = 1
TYPES = ("eog", "ecg")


def copy_physiology(raw: BaseRaw, settings: Preprocessing) -> RawArray | None:
    """Copy EOG and ECG that record something; those that no step finds artifacts by are dropped from `raw` in place.

    Parameters
    ----------
    raw : BaseRaw
        Loaded, not filtered yet.
    settings : Preprocessing
        Says which types steps find artifacts by.

    Returns
    -------
    RawArray or None
        V; None where nothing is recorded.
    """
    types = dict(zip(raw.ch_names, raw.get_channel_types(), strict=True))
    names = [name for name in raw.ch_names if types[name] in TYPES]
    recorded = [name for name in names if _records(raw, name)]
    physiology = copy_channels(raw, recorded) if recorded else None
    raw.drop_channels([name for name in names if types[name] not in settings.references])
    return physiology


def follow_sensors(physiology: RawArray, settings: Preprocessing, called: str) -> RawArray:
    """Filter and resample as sensors are."""
    filtering.filter_recording(physiology, settings, called)
    return resampling.resample_recording(physiology, settings)


def _records(raw: BaseRaw, name: str) -> bool:
    x_t = raw.get_data(picks=[name])
    return bool(np.isfinite(x_t).all() and np.ptp(x_t) > 0)
