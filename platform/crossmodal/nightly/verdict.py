"""Whether a winner is better than the champion, beyond chance."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from crossmodal.evaluation.statistics import LEAST_SUBJECTS, is_significant, sign_flip_p, t_interval


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
        One-sided sign-flip p of the paired differences.
    """

    promote: bool
    sentence: str
    n: int
    gain: float
    interval: tuple[float, float]
    p: float


def judge(challenger: Mapping[str, float], champion: Mapping[str, float] | None) -> Verdict:
    """Compare two models, paired over the subjects they were left out for, on the same folds.

    Parameters
    ----------
    challenger, champion : mapping of str to float
        Explained variance by subject. Without a champion the challenger has to beat the training mean, whose explained variance
        is zero by definition.
    """
    rival = "the champion" if champion is not None else "the training mean (there is no champion yet)"
    beaten = champion if champion is not None else dict.fromkeys(challenger, 0.0)
    assert beaten.keys() == challenger.keys(), "scores on the same folds have the same subjects"
    differences = [challenger[subject] - beaten[subject] for subject in sorted(challenger)]
    n, gain, p = len(differences), float(np.mean(differences)), sign_flip_p(differences)
    told = f"{gain:+.3f} explained variance against {rival} on {n} development subjects"
    if n < LEAST_SUBJECTS:
        promote, sentence = False, f"Not promoted: {told}, but with fewer than {LEAST_SUBJECTS} subjects nothing can be told from chance."
    elif not is_significant(p, n):
        promote, sentence = False, f"Not promoted: {told} is not better beyond chance (sign-flip p = {p:.3f})."
    else:
        promote, sentence = True, f"Promoted: {told} is better beyond chance (sign-flip p = {p:.3f})."
    return Verdict(promote, sentence, n, gain, t_interval(differences), p)
