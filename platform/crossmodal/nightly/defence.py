"""A champion on a dataset that has grown: its old scores are of fewer subjects, so its settings are trained and scored like a trial's."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from crossmodal.config import UserError
from crossmodal.datasets.manifest import Manifest, is_published, load
from crossmodal.evaluation.evaluate import evaluate_folds
from crossmodal.evaluation.scores import model_scores
from crossmodal.tracking.champions import Champion
from crossmodal.tracking.outage import outlast
from crossmodal.tracking.runs import Tracker
from crossmodal.training.experiment import plan_training
from crossmodal.training.fold import FoldProgress
from crossmodal.tuning.journal import SweepJournal
from crossmodal.tuning.space import settings_alone
from crossmodal.tuning.sweep import SweepPlan
from crossmodal.tuning.winner import train_beside_trials


def has_grown(champion: Champion, store: str, manifest: Manifest, test: Sequence[str]) -> bool:
    """Whether a dataset holds all recordings of the champion's, and others besides.

    Parameters
    ----------
    test : sequence of str
        Subjects that no trial will see.

    Raises
    ------
    UserError
        It has, but subjects that were locked when the champion was searched no longer are: tests of what is found would not be clean.
    """
    if not is_published(store, champion.dataset) or not load(store, champion.dataset).shards < manifest.shards:
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
    settings = settings_alone(sweep.experiment, champion.overrides, f"{sweep.study}-champion-{champion.version}", sweep.split)
    outage_s = settings.training.outage_s
    training = outlast(lambda: plan_training(settings), outage_s)
    train_beside_trials(training, journal, tracker, {"level": "champion", "version": champion.version}, show)
    evaluated = outlast(lambda: list(evaluate_folds(training.experiment, training.manifest, training.run, training.folds)), outage_s)
    return replace(champion, dataset=sweep.manifest.fingerprint, folds=folds, scores=model_scores([fold.scores for fold in evaluated]))
