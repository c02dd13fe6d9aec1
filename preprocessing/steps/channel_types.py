"""Decide what each channel is, and keep only brain signals.

An amplifier's EEG inputs often carry eyes and heart: in ds000117 EEG061 is the horizontal EOG, EEG062 the vertical one, EEG063 the ECG and
EEG064 unused. Fed to a model they would predict artifacts from artifacts.
"""

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher

import numpy as np
from mne.io import BaseRaw

from crossmodal.config import UserError
from crossmodal.config.recordings import ChannelType
from preprocessing.signals.channel_names import some_of
from preprocessing.signals.units import RETYPABLE, ChannelUnits

VERSION = 4

MODALITY_TYPES = {"eeg": ("eeg",), "meg": ("mag", "grad")}
_TELLING_NAME = re.compile(r"(?:eeg[\s_:-]+)?(?:[hv]?(?P<eog>eog)|(?P<ecg>ecg|ekg)|(?P<emg>emg))", re.IGNORECASE)


def keep_brain_channels(
    raw: BaseRaw,
    modalities: Sequence[str],
    configured: Mapping[str, ChannelType],
    listed: Mapping[str, str],
    called: str,
    units: ChannelUnits | None = None,
    beside: Sequence[str] = ("eog", "ecg"),
) -> list[str]:
    """Retype channels in place and drop all but those of `modalities` and of types kept beside them.

    They stay in the file's order, which loads fastest.

    Parameters
    ----------
    raw : BaseRaw
        Need not be loaded.
    modalities : sequence of str
        'eeg', 'meg': all of them must be there.
    configured : mapping of channel name to type
        From the experiment; overrules everything.
    listed : mapping of channel name to type
        From channels.tsv; overrules names that tell what they are (VEOG), which overrule the file.
    called : str
        What sentences call the recording.
    units : ChannelUnits, optional
        What is known of the channels' units; None where all are known.
    beside : sequence of str
        Types that are kept besides.

    Returns
    -------
    list of str
        Sentences that the run should say.

    Raises
    ------
    UserError
        A configured channel is absent, no channel of a modality is left, one of EEG, EOG or ECG has no known unit, or a name cannot be
        stored.
    """
    units = units or ChannelUnits()
    for name in configured:
        if name not in raw.ch_names:
            nearest = _nearest(name, raw.ch_names)
            raise UserError(f"{called}: has no channel '{name}' to retype (recordings.channel_types); the nearest is '{nearest}'")
    types = dict(zip(raw.ch_names, raw.get_channel_types(), strict=True))
    found = known_types(raw, listed)
    chosen = {**found, **configured}
    raw.set_channel_types({name: chosen[name] for name in types if chosen[name] != types[name]}, on_unit_change="ignore", verbose="error")
    _pick(raw, chosen, modalities, beside, units, called)
    _check_units(raw, units, called)
    _check_names(raw, called)
    return _notes(raw, found) + _disputes(raw, units)


def _nearest(name: str, known: Sequence[str]) -> str:
    return max(known, key=lambda other: SequenceMatcher(None, name.lower(), other.lower()).ratio())


def known_types(raw: BaseRaw, listed: Mapping[str, str]) -> dict[str, str]:
    """Tell each channel's type by channels.tsv, its name or the file, whatever an experiment says."""
    types = dict(zip(raw.ch_names, raw.get_channel_types(), strict=True))
    found = dict(types)
    for name, kind in types.items():
        match = _TELLING_NAME.match(name)
        if kind == "eeg" and match:
            found[name] = next(group for group, text in match.groupdict().items() if text)
        if kind in RETYPABLE and name in listed:
            found[name] = listed[name]
    return found


def order_channels(raw: BaseRaw, modalities: Sequence[str]) -> None:
    """Put channels in order by modality, type, then name, whatever the file's was."""
    types = dict(zip(raw.ch_names, raw.get_channel_types(), strict=True))
    kinds = [kind for modality in modalities for kind in MODALITY_TYPES[modality]]
    raw.pick([name for kind in kinds for name in sorted(raw.ch_names) if types[name] == kind])


def _pick(
    raw: BaseRaw, types: Mapping[str, str], modalities: Sequence[str], beside: Sequence[str], units: ChannelUnits, called: str
) -> None:
    no_voltages = some_of(f"{name} ({unit})" for name, unit in units.no_voltage.items())
    for modality in modalities:
        if not any(types[name] in MODALITY_TYPES[modality] for name in raw.ch_names):
            wanted = " and ".join(modality.upper() for modality in modalities)
            since = f" ({no_voltages} are no voltages)" if no_voltages and modality == "eeg" else ""
            raise UserError(
                f"{called}: has no {modality.upper()} channel{since}, and the experiment asks for {wanted};"
                " leave the recording out, or change preprocessing.modalities"
            )
    kept = {kind for modality in modalities for kind in MODALITY_TYPES[modality]} | {*beside}
    raw.pick([name for name in raw.ch_names if types[name] in kept])


def _check_units(raw: BaseRaw, units: ChannelUnits, called: str) -> None:
    said = {**units.no_voltage, **units.unknown}
    lost = [name for name, kind in zip(raw.ch_names, raw.get_channel_types(), strict=True) if name in said and kind != "resp"]
    if lost:
        listing = some_of(f"{name} ({said[name]})" for name in lost)
        raise UserError(
            f"{called}: has no known unit of voltage for {listing}; write uV, mV or V into the file's header (EDF's physical dimension) or"
            " into the units of a channels.tsv, or retype what is no EEG as misc (recordings.channel_types)"
        )


def _check_names(raw: BaseRaw, called: str) -> None:
    """Refuse names that FIF, in which shards say where sensors are, has no letters for."""
    for name, kind in zip(raw.ch_names, raw.get_channel_types(), strict=True):
        if not name.isascii() and any(kind in kinds for kinds in MODALITY_TYPES.values()):
            raise UserError(
                f"{called}: channel '{name}' has letters beyond A to Z, which cannot be stored; rename it in the file's header, or retype"
                f" it (recordings.channel_types.{name}=misc)"
            )


def _disputes(raw: BaseRaw, units: ChannelUnits) -> list[str]:
    disputed = [f"{name} ({units.disputed[name]})" for name in raw.ch_names if name in units.disputed]
    return [f"channels.tsv has other units than the recording, which is believed: {some_of(disputed)}"] if disputed else []


def _notes(raw: BaseRaw, found: Mapping[str, str]) -> list[str]:
    notes = []
    eeg = [channel for channel, kind in zip(raw.info["chs"], raw.get_channel_types(), strict=True) if kind == "eeg"]
    for channel in eeg:
        known = found[channel["ch_name"]]
        if known != "eeg":
            notes.append(f"{channel['ch_name']} is taken as EEG as configured, though it is known as {known.upper()}")
    lost = [channel["ch_name"] for channel in eeg if not _is_located(channel["loc"])]
    if lost and len(lost) < len(eeg):
        names = ", ".join(lost)
        notes.append(f"{names} have no position, unlike the other electrodes; if they are no EEG, retype them (recordings.channel_types)")
    return notes


def _is_located(location: np.ndarray) -> bool:
    return bool(np.isfinite(location[:3]).all() and location[:3].any())
