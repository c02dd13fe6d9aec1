"""Which subjects a search may look at, and which it may not."""

from collections.abc import Sequence

import numpy as np

from crossmodal.config import Experiment, UserError
from crossmodal.config.data import CrossValidation, LeaveOneSubjectOut

_TEST_SHARE = 0.25


def locked_subjects(experiment: Experiment, subjects: Sequence[str]) -> tuple[str, ...]:
    """Name the subjects that only a winner meets: those of the experiment, or a quarter drawn by its seed.

    Raises
    ------
    UserError
        One that the experiment names is unknown.
    """
    test = experiment.tuning.test_subjects or _draw(subjects, experiment.seed)
    if unknown := [subject for subject in test if subject not in subjects]:
        raise UserError(f"tuning.test_subjects: subject '{unknown[0]}' is not in the dataset; it has {', '.join(subjects)}")
    return tuple(test)


def least_searched(experiment: Experiment) -> int:
    """How many development subjects the folds of a search need."""
    validation, folds = getattr(experiment.split, "validation_subjects", 0), experiment.tuning.folds
    least = validation + 2
    while -(-least // min(folds, least)) + validation + 1 > least:
        least += 1
    return least


def divide(experiment: Experiment, subjects: Sequence[str], kept: Sequence[str] = ()) -> tuple[CrossValidation, tuple[str, ...]]:
    """Set test subjects aside, once and for all trials.

    Parameters
    ----------
    kept : sequence of str
        Further subjects that no trial sees.

    Returns
    -------
    split : CrossValidation
        Of the development subjects, in which every trial is trained and scored.
    test : tuple of str
        Subjects that only the winner meets.

    Raises
    ------
    UserError
        The experiment's own split is not by subjects, a test subject is unknown, or too few subjects are left.
    """
    if not isinstance(experiment.split, LeaveOneSubjectOut | CrossValidation):
        raise UserError(f"split: a search divides by whole subjects, not as '{experiment.split.kind}'; use leave_one_subject_out")
    test = locked_subjects(experiment, subjects)
    development = tuple(subject for subject in subjects if subject not in test and subject not in kept)
    validation = experiment.split.validation_subjects
    if len(development) < validation + 2:
        also = f", {len(kept)} for the title" if kept else ""
        raise UserError(
            f"tuning.test_subjects: {len(test)} of {len(subjects)} subjects are set aside for the test{also}, and of the others a search "
            f"with {validation} for validation needs at least {validation + 2}"
        )
    folds = min(experiment.tuning.folds, len(development))
    return CrossValidation(folds=folds, validation_subjects=validation, subjects=development), test


def _draw(subjects: Sequence[str], seed: int) -> tuple[str, ...]:
    count = max(1, round(_TEST_SHARE * len(subjects)))
    drawn = np.random.default_rng(seed).choice(len(subjects), count, replace=False)
    return tuple(subjects[index] for index in sorted(drawn))
