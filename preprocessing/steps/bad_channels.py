"""Refuse or interpolate channels that recorded nothing usable; they are never silently used.

Interpolating keeps every recording's channels the same, which a dataset needs; a channel that is bad everywhere is better left out of all
recordings by retyping it as misc.
"""

from collections import Counter
from collections.abc import Collection, Mapping

import numpy as np
from mne.io import BaseRaw
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.config.preprocessing import Preprocessing
from preprocessing.steps.segments import peak_to_peak, segment_starts

VERSION = 1

# Beyond this share of a type's channels, interpolation invents more than it mends.
_MOST_INTERPOLATED = 0.25


def find_bad_channels(raw: BaseRaw, marked: Collection[str], good: NDArray[np.bool_], settings: Preprocessing) -> dict[str, str]:
    """Tell why each bad channel is: marked, NaN or flat.

    Parameters
    ----------
    raw : BaseRaw
        Loaded; its own list of bad channels counts, too.
    marked : collection of str
        Channels that channels.tsv calls bad.
    good : bool array, shape (T,)
        Samples outside annotated bad spans: an amplifier switched off there makes no channel flat.
    settings : Preprocessing
        What is flat.
    """
    reasons = {name: "marked bad" for name in raw.ch_names if name in marked or name in raw.info["bads"]}
    return reasons | _broken(raw, good, settings)


def check_mendable(raw: BaseRaw, reasons: Mapping[str, str], settings: Preprocessing, called: str) -> None:
    """Refuse a recording whose bad channels are not to be interpolated, or are too many.

    Raises
    ------
    UserError
        Lists each bad channel with its reason.
    """
    if not reasons:
        return
    if settings.bad_channels == "refuse":
        raise UserError(
            f"{called}: bad channels {_listing(reasons)}; set preprocessing.bad_channels=interpolate, or leave them out of every recording"
            f" (recordings.channel_types.{_quoted(next(iter(reasons)))}=misc)"
        )
    types = dict(zip(raw.ch_names, raw.get_channel_types(), strict=True))
    for kind, bad in Counter(types[name] for name in reasons).items():
        channels = Counter(types.values())[kind]
        if bad > _MOST_INTERPOLATED * channels:
            raise UserError(f"{called}: {bad} of {channels} {kind} channels are bad, too many to interpolate; leave the recording out")


def silence(raw: BaseRaw, reasons: Mapping[str, str]) -> None:
    """Mark channels bad in place, and set them to zero: a NaN would spread even through a matrix in which they have weight zero."""
    raw.info["bads"] = list(reasons)
    for name in reasons:
        raw[name] = 0.0


def interpolate_channels(raw: BaseRaw, reasons: Mapping[str, str], called: str) -> None:
    """Interpolate the channels marked bad in place; none is afterwards.

    Raises
    ------
    UserError
        They have no position.
    """
    left = {name: reasons[name] for name in raw.info["bads"]}
    if not left:
        return
    try:
        raw.interpolate_bads(on_bad_position="raise", verbose="error")
    except (ValueError, RuntimeError) as error:
        cause = " ".join(str(error).split())
        advice = "leave them out of every recording (recordings.channel_types)"
        raise UserError(f"{called}: cannot interpolate {_listing(left)} ({cause}); {advice}") from error


def _broken(raw: BaseRaw, good: NDArray[np.bool_], settings: Preprocessing) -> dict[str, str]:
    starts = segment_starts(len(raw.times), raw.info["sfreq"], settings.segment_s)
    usable = np.logical_and.reduceat(good, starts)
    usable = usable if usable.any() else np.ones(len(starts), dtype=bool)
    reasons = {}
    for index, (name, kind) in enumerate(zip(raw.ch_names, raw.get_channel_types(), strict=True)):
        x_t = raw[index][0][0]
        threshold = settings.flat_v if kind == "eeg" else settings.flat_t
        if not np.isfinite(x_t).all():
            reasons[name] = "NaN"
        elif np.median(peak_to_peak(x_t, starts)[usable]) < threshold:
            reasons[name] = "flat"
    return reasons


def _listing(reasons: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({reason})" for name, reason in reasons.items())


def _quoted(name: str) -> str:
    return f"'{name}'" if " " in name else name
