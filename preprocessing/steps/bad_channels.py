"""Refuse or interpolate channels that recorded nothing usable; they are never silently used.

Interpolating keeps every recording's channels the same, which a dataset needs; a channel that is bad everywhere is better left out of all
recordings by retyping it as misc.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from mne.io import BaseRaw
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.config.preprocessing import Preprocessing
from preprocessing.signals.broken import cause_of
from preprocessing.signals.spans import Span
from preprocessing.steps.segments import peak_to_peak, segment_starts, to_spans

VERSION = 3

# Beyond this share of a type's channels, interpolation invents more than it mends.
_MOST_INTERPOLATED = 0.25
# A channel that is flat in a larger share of the usable segments is broken; in a smaller one, those segments are.
_MOST_FLAT = 0.05


@dataclass(frozen=True)
class BadChannels:
    """What is wrong with the channels of a recording.

    Attributes
    ----------
    reasons : dict of str to str
        Why a channel is of no use, by name.
    flat : dict of str to tuple of Span
        Where channels of use are flat for a while, by name.
    """

    reasons: dict[str, str]
    flat: dict[str, tuple[Span, ...]]


def find_bad_channels(raw: BaseRaw, marked: Collection[str], good: NDArray[np.bool_], settings: Preprocessing) -> BadChannels:
    """Tell why each bad channel is: marked, NaN anywhere (a filter would spread it), or flat for more than 1/20 of the recording.

    Where another one is flat, one more segment on either side is told, too: it dies and comes back there, and a filter rings.

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
    starts = segment_starts(len(raw.times), raw.info["sfreq"], settings.segment_s)
    usable, partly = np.logical_and.reduceat(good, starts), np.logical_or.reduceat(good, starts)
    usable = usable if usable.any() else np.ones(len(starts), dtype=bool)
    reasons = {name: "marked bad" for name in raw.ch_names if name in marked or name in raw.info["bads"]}
    flat = {}
    for index, (name, kind) in enumerate(zip(raw.ch_names, raw.get_channel_types(), strict=True)):
        x_t = raw.get_data(picks=[index])[0]
        if not np.isfinite(x_t).all():
            reasons[name] = "NaN"
            continue
        is_flat = peak_to_peak(x_t, starts) < (settings.flat_v if kind == "eeg" else settings.flat_t)
        share = is_flat[usable].mean()
        if share > _MOST_FLAT:
            reasons[name] = "flat" if share == 1 else f"flat for {100 * share:.0f} %"
        elif name not in reasons and (is_flat & partly).any():
            flat[name] = _widened(is_flat & partly, np.append(starts, len(raw.times)) / raw.info["sfreq"])
    return BadChannels(reasons, flat)


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
        cause = cause_of(error)
        advice = "leave them out of every recording (recordings.channel_types)"
        raise UserError(f"{called}: cannot interpolate {_listing(left)} ({cause}); {advice}") from error


def _widened(chosen: NDArray[np.bool_], bounds_s: NDArray[np.float64]) -> tuple[Span, ...]:
    """Runs of chosen segments, shape (n_segments,), and one segment more on either side of each; bounds, shape (n_segments + 1,)."""
    wide = np.convolve(chosen, np.ones(3), mode="full")[1:-1] > 0
    return tuple(to_spans(wide, bounds_s))


def _listing(reasons: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({reason})" for name, reason in reasons.items())


def _quoted(name: str) -> str:
    return f"'{name}'" if " " in name else name
