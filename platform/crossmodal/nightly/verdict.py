"""What a night has to say of a title: what it could see, what it saw, and whether the challenger wins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from crossmodal.evaluation.statistics import LEAST_SUBJECTS, best_of_many_p, detectable_sd, t_interval
from crossmodal.nightly.title import Title

_FEW = 12


@dataclass(frozen=True)
class Verdict:
    """What a night decides.

    Attributes
    ----------
    promote : bool
    sentence : str
        Why, for the digest.
    n : int
        Subjects that were looked at; 0 where none was.
    gain : float
        Mean over these of the challenger's score minus the champion's; `interval` is its 95 % t interval. NaN without a look.
    p : float
        One-sided sign-flip p of the paired differences; NaN without a look.
    """

    promote: bool
    sentence: str
    n: int = 0
    gain: float = float("nan")
    interval: tuple[float, float] = (float("nan"), float("nan"))
    p: float = float("nan")


@dataclass(frozen=True)
class Lead:
    """What a search's best trial has over the champion on development subjects, on which it was picked.

    Attributes
    ----------
    mean, deviations : float
        Of scores, and the same in standard deviations of the paired differences.
    n, trials, pruned : int
        Development subjects, all trials that were looked at, and how many of those were stopped before they were scored.
    p : float
        One-sided sign-flip p, which flips folds, as subjects of a fold share a network, and counts all trials. It is right for trials that
        do not depend on each other's scores, and no more than an impression of a search, which learns from them.
    """

    mean: float
    deviations: float
    n: int
    trials: int
    pruned: int
    p: float

    def __str__(self) -> str:
        pruned = f", {self.pruned} of them pruned" if self.pruned else ""
        return f"{self.mean:+.3f} on {self.n} development subjects (p = {self.p:.2f} for the best of {self.trials} trials{pruned})"


def lead_of(
    winner: Mapping[str, float],
    others: Sequence[Mapping[str, float]],
    champion: Mapping[str, float],
    folds: Sequence[Sequence[str]],
    pruned: int,
) -> Lead:
    """Compare a search's best trial with the champion where it was searched.

    Parameters
    ----------
    winner, champion : mapping of str to float
        Scores by subject, left out in the same folds.
    others : sequence of mapping of str to float
        The same of all other trials that were finished.
    folds : sequence of sequence of str
        Subjects that were left out together.
    pruned : int
        Trials that were looked at and stopped.
    """
    assert all(scores.keys() == champion.keys() for scores in (winner, *others)), "scores on the same folds have the same subjects"
    by_fold_kn = [[sum(scores[one] - champion[one] for one in fold) for fold in folds] for scores in (winner, *others)]
    differences = [winner[subject] - champion[subject] for subject in champion]
    mean = float(np.mean(differences))
    deviation = float(np.std(differences, ddof=1))
    deviations = mean / deviation if deviation else (float("inf") if mean > 0 else 0.0)
    p = best_of_many_p(by_fold_kn, chosen=0, unseen=pruned)
    return Lead(mean, deviations, len(champion), 1 + len(others) + pruned, pruned, p)


def foresee(title: Title, subjects: Sequence[str], test: Sequence[str]) -> str:
    """Say, before a night spends anything, what its look can see, and what none can.

    Parameters
    ----------
    subjects : sequence of str
        All outside the test.
    """
    development = [subject for subject in subjects if subject not in title.kept]
    divided = f"{len(development)} development subjects, {len(title.kept)} kept for the title, {len(test)} for the test."
    few = f" With fewer than {_FEW} development subjects a search often picks by chance." if len(development) < _FEW else ""
    unseen = len(title.challenger.unseen(subjects)) if title.challenger else len(title.kept)
    needed = title.needed
    number = len(title.looks) + 1
    if unseen < needed:
        told = (
            f"No lead, however large, can win the title tonight: look {number} needs {needed} unseen subjects, and there are {unseen}; "
            f"{needed - unseen} more must join."
        )
    else:
        told = (
            f"Look {number} at the title, on {unseen} unseen subjects, finds in four of five cases a challenger that is better by "
            f"{detectable_sd(unseen, title.next_level):.1f} standard deviations of paired differences; smaller leads mostly stay unseen."
        )
    return f"{divided}{few} {told}"


def verdict_of(title: Title, held_by: str, words: str) -> Verdict:
    """Tell the last look at a title.

    Parameters
    ----------
    title : Title
        After the look.
    held_by : str
        The champion's name in a sentence.
    words : str
        What sentences call a score.
    """
    look = title.looks[-1]
    values = list(look.differences.values())
    gain = float(np.mean(values))
    told = (
        f"{gain:+.3f} {words} against {held_by} on {len(values)} subjects that its search has not seen "
        f"(sign-flip p = {look.p:.2g}, needed {look.level:.2g} at look {len(title.looks)})"
    )
    if look.promoted:
        sentence = f"Promoted: {told}."
    elif title.challenger:
        sentence = f"Not promoted: {told}; the challenger stays, and is looked at again with {title.needed} unseen subjects."
    else:
        sentence = f"Not promoted: {told}; the challenger is dropped."
    return Verdict(look.promoted, sentence, len(values), gain, t_interval(values), look.p)


def no_look(title: Title, subjects: Sequence[str], held_by: str, lead: Lead) -> Verdict:
    """Tell why a night looks at nobody."""
    if title.challenger is None:
        return Verdict(
            False,
            f"Kept: {held_by} holds the title; tonight's best trial, {lead}, does not challenge it, "
            f"which takes a lead of {title.least_lead:.1f} standard deviations over subjects.",
        )
    unseen = len(title.challenger.unseen(subjects))
    waits = f"{title.challenger.name} of '{title.challenger.study}' challenges {held_by} since {title.challenger.night}"
    least = f" (at least {LEAST_SUBJECTS})" if title.needed == LEAST_SUBJECTS else ""
    return Verdict(
        False,
        f"Not promoted: {waits}, and waits for {title.needed} subjects{least} that its search has not seen; there are {unseen}. "
        f"Tonight's best trial: {lead}.",
    )
