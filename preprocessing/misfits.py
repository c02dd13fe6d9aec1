"""Recordings that are whole by themselves and do not belong together."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from crossmodal.datasets.agreement import Trait, majority, traits_of
from crossmodal.datasets.copies import Copy, ReadTrace, find_copies
from crossmodal.datasets.entry import ShardEntry
from crossmodal.datasets.trace_files import read_trace
from preprocessing.report import Outcome


def without_misfits(
    outcomes: Sequence[Outcome], allow_copies: Collection[tuple[str, str]] = (), read: ReadTrace = read_trace
) -> tuple[Outcome, ...]:
    """Fail recordings that are the same as another, or unlike most in rate, channels or volumes; the rest make a dataset without them.

    Of one run that is there twice, of one subject under two spellings, and of one recording under two labels, which would be trained on and
    tested on, nobody can tell which is right, so neither is taken. Where no more than half of the recordings agree, nobody can tell either,
    and all stay: they are then refused as a dataset.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Of all recordings, in the order of the source.
    allow_copies : collection of pairs of str
        Subjects whose recordings may be copies of each other.
    read : callable
        Reads the trace of a modality of a shard.
    """
    allowed = {frozenset(pair) for pair in allow_copies}
    fitting = _without_altered_copies(_without_copies(_without_spellings(_without_twins(outcomes)), allowed), allowed, read)
    for trait in traits_of(_shards(outcomes)):
        fitting = _without_minority(fitting, trait)
    return fitting


def _without_twins(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    runs = Counter(outcome.entry.label for outcome in outcomes)
    return tuple(_beside_twins(outcome, outcomes) if runs[outcome.entry.label] > 1 else outcome for outcome in outcomes)


def _beside_twins(outcome: Outcome, outcomes: Sequence[Outcome]) -> Outcome:
    entry = outcome.entry
    twins = [each.entry.uri for each in outcomes if each.entry.label == entry.label and each.entry.uri != entry.uri]
    return _failed(outcome, f"is {entry.label}, and so is {', '.join(twins)}; keep one of them")


def _without_spellings(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    spellings = defaultdict[str, list[str]](list)
    for subject in dict.fromkeys(outcome.entry.subject for outcome in outcomes):
        spellings[_plain(subject)].append(subject)
    return tuple(_beside_spellings(outcome, spellings[_plain(outcome.entry.subject)]) for outcome in outcomes)


def _plain(subject: str) -> str:
    """Write a label without 'sub-', zeros in front of numbers, and capitals."""
    return re.sub(r"(?<!\d)0+(?=\d)", "", subject.casefold().removeprefix("sub-"))


def _beside_spellings(outcome: Outcome, spellings: Sequence[str]) -> Outcome:
    others = [f"sub-{subject}" for subject in spellings if subject != outcome.entry.subject]
    if not others:
        return outcome
    why = f"sub-{outcome.entry.subject} and {', '.join(others)} are one label but for zeros or case"
    return _failed(outcome, f"{why}; give one person one label, and two people labels that differ in more")


def _without_copies(outcomes: Sequence[Outcome], allowed: Collection[frozenset[str]]) -> tuple[Outcome, ...]:
    owners = defaultdict[tuple[str, str], list[ShardEntry]](list)
    for shard in _shards(outcomes):
        for same in shard.samples.items():
            owners[same].append(shard)
    return tuple(_beside_copies(outcome, owners, allowed) for outcome in outcomes)


def _beside_copies(
    outcome: Outcome, owners: Mapping[tuple[str, str], Sequence[ShardEntry]], allowed: Collection[frozenset[str]]
) -> Outcome:
    for modality, samples in outcome.shard.samples.items() if outcome.shard else ():
        others = [
            shard.label
            for shard in owners[modality, samples]
            if shard.label != outcome.entry.label and frozenset((shard.subject, outcome.entry.subject)) not in allowed
        ]
        if others:
            whose = f"its {modality.upper()} is that of {', '.join(others)}, sample for sample"
            return _failed(outcome, f"{whose}; keep it under the right label")
    return outcome


def _without_altered_copies(outcomes: Sequence[Outcome], allowed: Collection[frozenset[str]], read: ReadTrace) -> tuple[Outcome, ...]:
    found = dict[str, str]()
    for copy in find_copies(_shards(outcomes), read):
        if frozenset((copy.one.subject, copy.other.subject)) not in allowed:
            found.setdefault(copy.one.label, _told(copy, copy.other))
            found.setdefault(copy.other.label, _told(copy, copy.one))
    return tuple(_failed(outcome, found[outcome.entry.label]) if outcome.entry.label in found else outcome for outcome in outcomes)


def _told(copy: Copy, other: ShardEntry) -> str:
    alike = copy.likeness
    how = f"correlation {alike.correlation:.2f} over {alike.overlap_s:.1f} s" + (", one of them backwards" if alike.backwards else "")
    return (
        f"its {copy.modality.upper()} is that of {other.label}, scaled, cut or changed otherwise ({how}); keep it under the right label, or"
        f" name both subjects in recordings.allow_copies"
    )


def _without_minority(outcomes: Sequence[Outcome], trait: Trait) -> tuple[Outcome, ...]:
    most = majority(trait, _shards(outcomes))
    if most is None:
        return tuple(outcomes)
    return tuple(
        _failed(outcome, trait.difference(outcome.shard, most))
        if outcome.shard and trait.value(outcome.shard) != trait.value(most)
        else outcome
        for outcome in outcomes
    )


def _failed(outcome: Outcome, why: str) -> Outcome:
    """The same without its shard; what failed by itself keeps its own cause."""
    return replace(outcome, shard=None, cause=f"{outcome.entry.uri}: {why}") if outcome.shard else outcome


def _shards(outcomes: Sequence[Outcome]) -> list[ShardEntry]:
    return [outcome.shard for outcome in outcomes if outcome.shard]
