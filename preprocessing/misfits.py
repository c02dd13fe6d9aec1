"""Recordings that are whole by themselves and do not belong together."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from crossmodal.datasets.agreement import Trait, majority, traits_of
from crossmodal.datasets.entry import ShardEntry
from preprocessing.report import Outcome


def without_misfits(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Fail recordings that are the same as another, or unlike most in rate, channels or volumes; the rest make a dataset without them.

    Of one run that is there twice, and of one recording under two labels, which would be trained on and tested on, nobody can tell which is
    right, so neither is taken. Where no more than half of the recordings agree, nobody can tell either, and all stay: they are then refused
    as a dataset.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Of all recordings, in the order of the source.
    """
    fitting = _without_copies(_without_twins(outcomes))
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


def _without_copies(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    owners = defaultdict[tuple[str, str], list[str]](list)
    for shard in _shards(outcomes):
        for same in shard.samples.items():
            owners[same].append(shard.label)
    return tuple(_beside_copies(outcome, owners) for outcome in outcomes)


def _beside_copies(outcome: Outcome, owners: Mapping[tuple[str, str], Sequence[str]]) -> Outcome:
    for modality, samples in outcome.shard.samples.items() if outcome.shard else ():
        others = [label for label in owners[modality, samples] if label != outcome.entry.label]
        if others:
            whose = f"its {modality.upper()} is that of {', '.join(others)}, sample for sample"
            return _failed(outcome, f"{whose}; keep it under the right label")
    return outcome


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
