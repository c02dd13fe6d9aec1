"""Recordings that are whole by themselves and do not belong together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from crossmodal.datasets.agreement import Trait, majority, traits_of
from crossmodal.datasets.entry import ShardEntry
from preprocessing.report import Outcome


def without_misfits(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Fail recordings that are the same run as another, or unlike most in rate, channels or volumes; the rest make a dataset without them.

    Of one run that is there twice nobody can tell which is right, so neither is taken. Where no more than half of the recordings agree,
    nobody can tell either, and all stay: they are then refused as a dataset.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Of all recordings, in the order of the source.
    """
    fitting = _without_twins(outcomes)
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
