"""Which subjects a title keeps apart from its searches."""

from collections.abc import Sequence

import numpy as np

from crossmodal.config import UserError
from crossmodal.evaluation.statistics import LEAST_SUBJECTS
from crossmodal.nightly.title import Title

# The first look finds a lead of 1.5 standard deviations in .93 of cases with 7 subjects, in .85 with 6 (sign flips, simulated).
_WANTED = 7
# More speak only when they join: each costs a training of the challenger and one of the champion.
_MOST_KEPT = 16


def keep_apart(title: Title, subjects: Sequence[str], searched_at_least: int, seed: int) -> tuple[str, ...]:
    """Name the subjects that no search sees: half of those outside the test, at least 7 and at most 16, once and for all nights.

    Of few subjects 6 are enough.

    Those kept before stay. As subjects join, some of them are kept, but never one that a search has seen. Where there are too few, none
    is kept: those who join later decide.

    Parameters
    ----------
    subjects : sequence of str
        All outside the test.
    searched_at_least : int
        How many of them a search needs.
    seed : int
        Of the draw.
    """
    before, not_free = set(title.kept), {*title.kept, *title.searched}
    kept = [subject for subject in subjects if subject in before]
    if len(subjects) < LEAST_SUBJECTS + searched_at_least:
        return tuple(kept)
    wanted = min(max(_WANTED, len(subjects) // 2), _MOST_KEPT) - len(kept)
    free = [subject for subject in subjects if subject not in not_free]
    room = len(subjects) - len(kept) - searched_at_least
    count = max(0, min(wanted, len(free), room))
    drawn = set(np.random.default_rng(seed).choice(len(free), count, replace=False)) if count else set()
    chosen = {*kept, *(free[index] for index in drawn)}
    return tuple(subject for subject in subjects if subject in chosen)


def check_kept(title: Title, subjects: Sequence[str], named: Sequence[str]) -> tuple[str, ...]:
    """Take the subjects that an experiment names to be kept.

    Raises
    ------
    UserError
        One is not among those outside the test, or a search of this title has seen it.
    """
    for subject in named:
        if subject not in subjects:
            raise UserError(f"nightly.confirmation_subjects: subject '{subject}' is not in the dataset, or is kept for the test")
        if subject in title.searched:
            raise UserError(f"nightly.confirmation_subjects: subject '{subject}' was searched on, and can confirm nothing any more")
    return tuple(subject for subject in subjects if subject in named)
