"""Bad spans of a recording by their cause, and how much of it is lost to each."""

import numpy as np

from preprocessing.signals.spans import Span
from preprocessing.steps.segments import outside

# By cause.
BadSpans = dict[str, list[Span]]


def all_of(bad: BadSpans) -> list[Span]:
    """Spans of all causes."""
    return [span for spans in bad.values() for span in spans]


def lost_shares(bad: BadSpans, n_samples: int, sfreq: float) -> dict[str, float]:
    """Share of all samples that lie in bad spans, by cause.

    Parameters
    ----------
    bad : dict of str to list of Span
        A sample that has several causes is counted with the first.
    n_samples, sfreq : int, float
        Of the recording; Hz.
    """
    left, shares = np.ones(n_samples, dtype=bool), dict[str, float]()
    for cause, spans in bad.items():
        good = outside(spans, n_samples, sfreq)
        shares[cause] = float(np.mean(left & ~good))
        left &= good
    return shares
