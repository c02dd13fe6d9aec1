"""Whether a winner is better than the champion, beyond chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from crossmodal.evaluation.statistics import LEAST_SUBJECTS, best_of_many_p, is_significant, t_interval


@dataclass(frozen=True)
class Verdict:
    """What a comparison came to.

    Attributes
    ----------
    promote : bool
    sentence : str
        Why, for the digest.
    n : int
        Subjects.
    gain : float
        Mean over subjects of the challenger's explained variance minus the champion's; `interval` is its 95 % t interval.
    p : float
        One-sided sign-flip p of the paired differences, corrected for the winner being the best of many trials.
    """

    promote: bool
    sentence: str
    n: int
    gain: float
    interval: tuple[float, float]
    p: float


def judge(winner: Mapping[str, float], others: Sequence[Mapping[str, float]], champion: Mapping[str, float] | None) -> Verdict:
    """Compare a search's winner with the champion, paired over the subjects they were left out for, on the same folds.

    Parameters
    ----------
    winner, champion : mapping of str to float
        Explained variance by subject. Without a champion the winner has to beat the training mean, whose explained variance
        is zero by definition.
    others : sequence of mapping of str to float
        The same of all other trials that were finished: among many some look good on these subjects by chance.
    """
    rival = "the champion" if champion is not None else "the training mean (there is no champion yet)"
    beaten = champion if champion is not None else dict.fromkeys(winner, 0.0)
    assert all(scores.keys() == beaten.keys() for scores in (winner, *others)), "scores on the same folds have the same subjects"
    differences_kn = [[scores[subject] - beaten[subject] for subject in sorted(beaten)] for scores in (winner, *others)]
    differences = differences_kn[0]
    n, gain, p = len(differences), float(np.mean(differences)), best_of_many_p(differences_kn, chosen=0)
    told = f"{gain:+.3f} explained variance against {rival} on {n} development subjects"
    chance = f"(sign-flip p = {p:.3f} for the best of {len(differences_kn)} trials)"
    if n < LEAST_SUBJECTS:
        promote, sentence = False, f"Not promoted: {told}, but with fewer than {LEAST_SUBJECTS} subjects nothing can be told from chance."
    elif not is_significant(p, n):
        promote, sentence = False, f"Not promoted: {told} is not better beyond chance {chance}."
    else:
        promote, sentence = True, f"Promoted: {told} is better beyond chance {chance}."
    return Verdict(promote, sentence, n, gain, t_interval(differences), p)
