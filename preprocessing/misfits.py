"""Recordings that are whole by themselves and do not belong together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from preprocessing.report import Outcome


def without_misfits(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Fail recordings that are the same run as another, or sampled at another rate than most; the rest make a dataset without them.

    Of one run that is there twice nobody can tell which is right, so neither is taken.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Of all recordings, in the order of the source.
    """
    rates = Counter(outcome.shard.sfreq for outcome in outcomes if outcome.shard)
    usual_hz = max(rates, key=lambda rate: rates[rate], default=0.0)
    runs = Counter((outcome.entry.subject, outcome.entry.run) for outcome in outcomes)
    return tuple(_held(outcome, usual_hz, outcomes if runs[outcome.entry.subject, outcome.entry.run] > 1 else ()) for outcome in outcomes)


def _held(outcome: Outcome, usual_hz: float, others: Sequence[Outcome]) -> Outcome:
    if outcome.shard is None:
        return outcome
    entry = outcome.entry
    twins = [each.entry.uri for each in others if each.entry.label == entry.label and each.entry.uri != entry.uri]
    if twins:
        return replace(outcome, shard=None, cause=f"{entry.uri}: is {entry.label}, and so is {', '.join(twins)}; keep one of them")
    if outcome.shard.sfreq != usual_hz:
        rates = f"{outcome.shard.sfreq:g} Hz, most others at {usual_hz:g} Hz"
        return replace(outcome, shard=None, cause=f"{entry.uri}: is sampled at {rates}; set preprocessing.sfreq or leave it out")
    return outcome
