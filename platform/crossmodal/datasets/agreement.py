"""What recordings have to agree in to make a dataset, and how those that do not differ."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from crossmodal.datasets.entry import ShardEntry
from crossmodal.datasets.recording import PHYSIOLOGY

_Channels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Trait:
    """Something that all recordings of a dataset have in common.

    Attributes
    ----------
    value : callable
        What is compared of a recording.
    difference : callable
        From a recording and one that is as most are to what to say of the former: how it differs, and what to do.
    """

    value: Callable[[ShardEntry], Hashable]
    difference: Callable[[ShardEntry, ShardEntry], str]


def traits_of(entries: Iterable[ShardEntry]) -> list[Trait]:
    """All that is to be the same: sampling rate, channels and types of each modality in order, targets and repetition time of BOLD.

    EOG and ECG may differ: no model reads them.
    """
    modalities = sorted({modality for entry in entries for modality in entry.channels} - {PHYSIOLOGY})
    channels = [Trait(partial(_channels, modality=modality), partial(_other_channels, modality=modality)) for modality in modalities]
    return [Trait(lambda entry: entry.sfreq, _other_rate), *channels, Trait(_targets, _other_volumes)]


def usual(trait: Trait, entries: Sequence[ShardEntry]) -> ShardEntry:
    """Give a recording that is as most are; the first of equally many."""
    return _most_common(trait, entries)[0]


def majority(trait: Trait, entries: Sequence[ShardEntry]) -> ShardEntry | None:
    """Give a recording that is as more than half of all are; None where no such half tells which ones are odd."""
    most, count = _most_common(trait, entries) if entries else (None, 0)
    return most if 2 * count > len(entries) else None


def _most_common(trait: Trait, entries: Sequence[ShardEntry]) -> tuple[ShardEntry, int]:
    value, count = Counter(trait.value(entry) for entry in entries).most_common(1)[0]
    return next(entry for entry in entries if trait.value(entry) == value), count


def _other_rate(odd: ShardEntry, most: ShardEntry) -> str:
    return f"is sampled at {odd.sfreq:g} Hz, others at {most.sfreq:g} Hz; set preprocessing.sfreq or leave it out"


def _channels(entry: ShardEntry, modality: str) -> _Channels:
    return tuple(zip(entry.channels.get(modality, ()), entry.types.get(modality, ()), strict=True))


def _other_channels(odd: ShardEntry, most: ShardEntry, modality: str) -> str:
    own, others = dict(_channels(odd, modality)), dict(_channels(most, modality))
    missing = [name for name in others if name not in own]
    extra = [name for name in own if name not in others]
    retyped = [f"{name} ({own[name]}, not {others[name]})" for name in own if others.get(name, own[name]) != own[name]]
    clauses = [f"lacks {', '.join(missing)}"] * bool(missing)
    clauses += [f"has {', '.join(extra)} besides"] * bool(extra)
    clauses += [f"has other types for {', '.join(retyped)}"] * bool(retyped)
    differences = " and ".join(clauses) or "has them in another order"
    advice = "leave it out, or retype or interpolate so that all agree"
    return f"differs from other recordings in its {modality.upper()} channels: it {differences}; {advice}"


def _targets(entry: ShardEntry) -> tuple[str, float] | None:
    return (entry.volumes.targets, round(entry.volumes.tr_s, 3)) if entry.volumes else None


def _other_volumes(odd: ShardEntry, most: ShardEntry) -> str:
    own, others = (entry.volumes.describe() if entry.volumes else "no BOLD" for entry in (odd, most))
    compared = f"has {own}, others have {others}" if own != others else f"has {own}, as others have, but not the same ones"
    return f"{compared}; give preprocessing.bold a grid, a mask or an atlas in one space, or leave it out"
