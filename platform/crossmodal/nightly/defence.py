"""Champion and challenger scored anew: on the folds of a night's trials, and on subjects that the challenger's search has not seen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from crossmodal.config import UserError
from crossmodal.config.data import CrossValidation
from crossmodal.datasets.manifest import Manifest, is_published, load
from crossmodal.evaluation.protocol import PROTOCOL
from crossmodal.evaluation.scores import FoldScores, model_scores, over_types
from crossmodal.nightly.title import Challenger
from crossmodal.tasks.evaluate import evaluate_folds
from crossmodal.tracking.champions import Champion
from crossmodal.tracking.outage import retry_while_mlflow_away
from crossmodal.tracking.runs import Tracker
from crossmodal.training.fold import FoldProgress
from crossmodal.training.plan import plan_training
from crossmodal.tuning.journal import SweepJournal
from crossmodal.tuning.plan import SweepPlan
from crossmodal.tuning.space import settings_alone
from crossmodal.tuning.winner import train_beside_trials


def must_defend(champion: Champion, store: str, manifest: Manifest, test: Sequence[str]) -> bool:
    """Whether a champion's scores are of fewer recordings than a dataset has, or of an older protocol, so that they are made anew.

    Under a newer protocol recordings may have been preprocessed anew, so that the same ones are known by subject and run.

    Parameters
    ----------
    test : sequence of str
        Subjects that no trial will see.

    Raises
    ------
    UserError
        They are to be, but subjects that were locked when the champion was searched no longer are: tests of what is found would not be
        clean.
    """
    if not is_published(store, champion.dataset):
        return False
    before = load(store, champion.dataset)
    older = champion.protocol != PROTOCOL
    if not (_recordings(before) <= _recordings(manifest) if older else before.shards < manifest.shards):
        return False
    if unlocked := [subject for subject in champion.test if subject not in test]:
        raise UserError(
            f"tuning.test_subjects: the dataset has grown, and subject '{unlocked[0]}', locked until now, would be searched on; "
            f"set it to [{', '.join(champion.test)}], or to more"
        )
    return True


def defend(
    champion: Champion, sweep: SweepPlan, folds: str, journal: SweepJournal, tracker: Tracker, show: Callable[[FoldProgress], None]
) -> Champion:
    """Train the champion's settings on the folds of all trials, unless that is done, and take its scores there."""
    tags = {"level": "champion", "version": champion.version}
    name = f"{sweep.study}-champion-{champion.version}"
    scores = model_scores(_scored(sweep, champion.overrides, name, sweep.split, (), tags, journal, tracker, show))
    return replace(champion, dataset=sweep.manifest.fingerprint, folds=folds, scores=scores, protocol=PROTOCOL)


def meet(
    challenger: Challenger,
    champion: Champion | None,
    sweep: SweepPlan,
    subjects: Sequence[str],
    journal: SweepJournal,
    tracker: Tracker,
    show: Callable[[FoldProgress], None],
) -> dict[str, float]:
    """Train both on all subjects outside the test but one, for each that the challenger's search has not seen.

    A subject a network: those who share one would share its luck.

    Parameters
    ----------
    champion : Champion, optional
        Without one, the challenger has to beat the training mean, whose score is zero by definition.
    subjects : sequence of str
        All outside the test.

    Returns
    -------
    dict of str to float
        By unseen subject, the challenger's score minus the champion's.
    """
    unseen = challenger.unseen(subjects)
    split = CrossValidation(folds=len(subjects), validation_subjects=sweep.split.validation_subjects, subjects=tuple(subjects))

    def of(overrides: Mapping[str, Any], role: str, version: str) -> dict[str, float]:
        tags = {"level": f"unseen-{role}", "version": version}
        return over_types(
            model_scores(_scored(sweep, overrides, f"{sweep.study}-unseen-{role}", split, unseen, tags, journal, tracker, show))
        )

    scores = of(challenger.overrides, "challenger", f"{challenger.study}/{challenger.trial}")
    beaten = of(champion.overrides, "champion", champion.version) if champion else dict.fromkeys(scores, 0.0)
    return {subject: scores[subject] - beaten[subject] for subject in unseen}


def _scored(
    sweep: SweepPlan,
    overrides: Mapping[str, Any],
    name: str,
    split: CrossValidation,
    left_out: Sequence[str],
    tags: Mapping[str, str],
    journal: SweepJournal,
    tracker: Tracker,
    show: Callable[[FoldProgress], None],
) -> list[FoldScores]:
    """Train settings on the folds of a split, those alone that leave certain subjects out where any are named, and score them."""
    settings = settings_alone(sweep.experiment, overrides, name, split)
    outage_s = settings.training.outage_s
    training = retry_while_mlflow_away(lambda: plan_training(settings), outage_s)
    if left_out:
        folds = tuple(fold for fold in training.folds if any(part.subject in left_out for part in fold.test))
        training = replace(training, folds=folds)
    train_beside_trials(training, journal, tracker, tags, show)
    evaluated = retry_while_mlflow_away(
        lambda: list(evaluate_folds(training.experiment, training.manifest, training.run, training.folds)), outage_s
    )
    return [fold.scores for fold in evaluated]


def _recordings(manifest: Manifest) -> set[tuple[str, str]]:
    return {(entry.subject, entry.run) for entry in manifest.entries}
