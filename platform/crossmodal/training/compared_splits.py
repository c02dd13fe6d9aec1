"""One experiment under four ways of dividing its recordings, of which only the first tells how a new subject would fare."""

from crossmodal.config import Experiment, fingerprint
from crossmodal.config.data import CrossValidation, LeakyWindows, LeaveOneSessionOut, LeaveOneSubjectOut, Split, WithinRecordings
from crossmodal.datasets.folds import has_repeated_sessions
from crossmodal.tasks.choosing import task_of
from crossmodal.training.plan import Plan, find_dataset, plan_training

NO_SESSIONS = "No subject has several sessions, so that none could be left out."


def plan_compared(experiment: Experiment) -> tuple[Plan, ...]:
    """Plan a run a split: subjects left out, sessions left out where subjects have several, parts of recordings with a gap, leaky windows.

    The first is the experiment's own split where it is by subjects.

    Raises
    ------
    UserError
        As `plan_training` does.
    """
    experiment, manifest = find_dataset(experiment)
    by_subject = experiment.split if isinstance(experiment.split, LeaveOneSubjectOut | CrossValidation) else LeaveOneSubjectOut()
    splits: list[Split] = [by_subject]
    if has_repeated_sessions(manifest):
        splits.append(LeaveOneSessionOut())
    splits += [WithinRecordings(gap_s=task_of(experiment).least_gap_s(experiment)), LeakyWindows()]
    return tuple(plan_training(experiment.model_copy(update={"split": split})) for split in splits)


def comparison_name(plans: tuple[Plan, ...]) -> str:
    """Name a comparison by its runs."""
    return f"{plans[0].experiment.name}-splits-{fingerprint([plan.run for plan in plans])}"
