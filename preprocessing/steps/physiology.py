"""Keep EOG, ECG and respiration on the clock of the sensors: what they alone predict is told beside every score; no model reads them."""

import numpy as np
from mne.io import BaseRaw, RawArray

from crossmodal.config.preprocessing import Preprocessing
from preprocessing.steps import filtering, resampling
from preprocessing.steps.references import copy_channels

VERSION = 1
# Respiration is kept where there are volumes, whose blood follows it; volumes bear the version of that.
RESPIRATION_VERSION = 1
TYPES = ("eog", "ecg", "resp")


def types_beside(volumes: bool) -> tuple[str, ...]:
    """Name the types that are kept beside sensors alone, or beside sensors and volumes."""
    return TYPES if volumes else TYPES[:2]


def copy_physiology(raw: BaseRaw, settings: Preprocessing) -> RawArray | None:
    """Copy EOG, ECG and respiration that record something; those that no step finds artifacts by are dropped from `raw` in place.

    Parameters
    ----------
    raw : BaseRaw
        Loaded, not filtered yet.
    settings : Preprocessing
        Says which types steps find artifacts by.

    Returns
    -------
    RawArray or None
        V, respiration in an arbitrary unit; None where nothing is recorded.
    """
    types = dict(zip(raw.ch_names, raw.get_channel_types(), strict=True))
    names = [name for name in raw.ch_names if types[name] in TYPES]
    recorded = [name for name in names if _records(raw, name)]
    physiology = copy_channels(raw, recorded) if recorded else None
    raw.drop_channels([name for name in names if types[name] not in settings.references])
    return physiology


def follow_sensors(physiology: RawArray, settings: Preprocessing, called: str) -> RawArray:
    """Filter and resample as sensors are; respiration, which is slower than most high-passes, by the low-pass alone."""
    types = dict(zip(physiology.ch_names, physiology.get_channel_types(), strict=True))
    voltages, slow = ([name for name in types if (types[name] == "resp") == is_slow] for is_slow in (False, True))
    filtering.filter_recording(physiology, settings, called, voltages)
    filtering.filter_recording(physiology, settings.model_copy(update={"highpass_hz": None}), called, slow)
    return resampling.resample_recording(physiology, settings)


def _records(raw: BaseRaw, name: str) -> bool:
    x_t = raw.get_data(picks=[name])
    return bool(np.isfinite(x_t).all() and np.ptp(x_t) > 0)
